import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { readStack, stopStack, type EmulatorStackInfo } from '../../src/embedded/index.js';
import { processesIn, waitUntil } from './processes.js';

export const CLI_MAIN = process.env.DEVLOOP_CLI_MAIN ?? resolve(import.meta.dirname, '../../dist/src/cli/main.js');

/** The first line that a command writes where an embedded stack does the work. */
export const MODE_LINE = 'Temporal: embedded · RunPod: emulator (no account, no charge)';
/** A start with everything in the cache, a boot and a model's answer on two busy cores. */
export const SESSION_MS = 400_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The compiled command in a folder of its own, with nothing of this machine's settings. */
export class CliPlace {
  readonly folder = mkdtempSync(join(tmpdir(), 'devloop-cli-'));
  readonly dataDir = join(this.folder, '.devloop');
  private readonly children: ChildProcess[] = [];

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
    const clean = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^(TEMPORAL_|RUNPOD_|DEVLOOP_(DATA|GATE|LOG|DEFAULT|MAX))/.test(name),
      ),
    );
    const child = spawn(process.execPath, [CLI_MAIN, ...args], {
      cwd: this.folder,
      env: { ...clean, TEMPORAL_CONFIG_FILE: join(this.folder, 'none.toml'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.children.push(child);
    return new Running(child);
  }

  run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return this.start(args, env).ended;
  }

  get stack(): EmulatorStackInfo {
    const stack = readStack(this.dataDir);
    if (stack?.runpod !== 'emulator') throw new Error('no stack with an emulator is running');
    return stack;
  }

  nothingRuns(): Promise<boolean> {
    return waitUntil(() => processesIn(this.folder).length === 0, { what: 'no process is left' });
  }

  async end(): Promise<void> {
    for (const child of this.children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await stopStack(this.dataDir);
    await this.nothingRuns();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Running {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;

  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = once(child, 'close').then(([code]) => ({
      code: code as number | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  async says(text: string | RegExp): Promise<void> {
    const said = (): boolean => (typeof text === 'string' ? this.all.includes(text) : text.test(this.all));
    let hasEnded = false;
    void this.ended.then(() => (hasEnded = true));
    await waitUntil(() => said() || hasEnded, { what: `the command says ${text}`, everyMs: 20 });
    if (!said()) throw new Error(`ended without saying ${text}: ${this.stdout}\n${this.stderr}`);
  }

  private get all(): string {
    return this.stdout + this.stderr;
  }
}

/** The one document that `--json` leaves on stdout. */
export function documentOf<T = Record<string, unknown>>({ stdout }: Ended): T {
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  return JSON.parse(stdout) as T;
}
