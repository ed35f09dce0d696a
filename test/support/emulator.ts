import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** One pod's line in the emulator's ledger. Times ISO 8601, money in US dollars. */
export interface LedgerPod {
  id: string;
  name: string;
  status: string;
  createdAt: string;
  terminatedAt: string | null;
  billedSeconds: number;
  costUsd: number;
}

/** One call that the emulator's API got. `status` is 0 where it gave no reply. */
export interface EmulatorRequest {
  at: string;
  method: string;
  path: string;
  status: number;
  key: 'account' | 'pod' | 'none';
  podId?: string;
}

export interface EmulatorOptions {
  /** Default: a temporary one, removed by `stop()`. A given one stays. */
  dataDir?: string;
  /** Default: a free one. */
  port?: number;
  /** Default: `emulator`. */
  apiKey?: string;
  /** Variables over and above this process's own. */
  env?: Record<string, string>;
}

export interface RunningEmulator {
  /** Without a path: the API is `${url}/v2`, a pod's port `${url}/proxy/{podId}/{port}`. */
  url: string;
  pid: number;
  dataDir: string;
  ledgerFile: string;
  /** Ends it as SIGTERM does: no process of a pod survives. May be called again, and after `kill9`. */
  stop(): Promise<void>;
  /** SIGKILL: pods' processes go on, for a next emulator with the same `dataDir`. */
  kill9(): Promise<void>;
  ledger(): Promise<LedgerPod[]>;
  requests(): Promise<EmulatorRequest[]>;
  /** Switches a fault on: `{kind, times?, …}` or `{seed, probability, kinds}`; its id. */
  fault(fault: Record<string, unknown>): Promise<number>;
  clearFaults(): Promise<void>;
  /** Changes settings, by the names of `GET /admin/settings`. */
  settings(change: Record<string, unknown>): Promise<void>;
}

const mainFile = (): string =>
  process.env.DEVLOOP_EMULATOR_MAIN ?? path.resolve(import.meta.dirname, '../../dist/emulator/main.js');

/** Starts the compiled emulator as a process of its own. Throws with what it wrote to stderr when it does not come up. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<RunningEmulator> {
  const main = mainFile();
  if (!existsSync(main)) throw new Error(`${main} is missing: run "npm run build" first`);
  const dataDir = options.dataDir ?? (await mkdtemp(path.join(tmpdir(), 'devloop-emulator-')));
  const args = ['--json', '--port', String(options.port ?? 0), '--data-dir', dataDir];
  if (options.apiKey !== undefined) args.push('--api-key', options.apiKey);
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => text as string),
    exited.then(() => undefined),
  ]);
  if (line === undefined) throw new Error(`the emulator ended with code ${child.exitCode}: ${errors.trim()}`);
  const { url, pid, ledgerFile } = JSON.parse(line) as { url: string; pid: number; ledgerFile: string };

  const admin = async <Answer>(method: string, name: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${url}/admin/${name}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} /admin/${name}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };

  return {
    url,
    pid,
    dataDir,
    ledgerFile,
    stop: async () => {
      await end('SIGTERM');
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
    kill9: () => end('SIGKILL'),
    ledger: async () => (await admin<{ pods: LedgerPod[] }>('GET', 'ledger')).pods,
    requests: async () => (await admin<{ requests: EmulatorRequest[] }>('GET', 'requests')).requests,
    fault: async (fault) => (await admin<{ id: number }>('POST', 'faults', fault)).id,
    clearFaults: () => admin('DELETE', 'faults'),
    settings: async (change) => {
      await admin('PATCH', 'settings', change);
    },
  };
}

/** The ledger as it stands on disk, for when the emulator has ended. */
export async function readLedgerFile(file: string): Promise<LedgerPod[]> {
  return (JSON.parse(await readFile(file, 'utf8')) as { pods: LedgerPod[] }).pods;
}
