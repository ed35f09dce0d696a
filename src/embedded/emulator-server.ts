import { join } from 'node:path';
import type { Child } from './child.js';
import { emulatorEnvironment, EMULATOR_KEY } from './child-environment.js';
import { dataPaths } from './data-dir.js';
import { freePorts } from './free-ports.js';
import { compiledRoot } from './layout.js';
import { startChild, withFreshPorts } from './start-child.js';
import type { StackChild } from './stack-types.js';
import type { ServiceOptions } from './temporal-server.js';

const READY_TIMEOUT_MS = 30_000;

export interface EmulatorServer {
  readonly child: Child<StackChild>;
  readonly url: string;
}

export async function startEmulator({ dataDir, env, signal, onSpawn }: ServiceOptions): Promise<EmulatorServer> {
  const { emulatorDir, logsDir } = dataPaths(dataDir);
  const logFile = join(logsDir, 'emulator.log');
  return withFreshPorts(logFile, async () => {
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    const main = join(compiledRoot(), 'emulator', 'main.js');
    const { child } = await startChild({
      spec: {
        name: 'emulator',
        command: process.execPath,
        args: [main, '--port', String(port), '--data-dir', emulatorDir, '--api-key', EMULATOR_KEY, '--json'],
        env: emulatorEnvironment(env, dataDir),
        cwd: dataDir,
        logFile,
      },
      probe: async () => ((await readLedger(url)) === undefined ? undefined : true),
      timeoutMs: READY_TIMEOUT_MS,
      signal,
      wayOut: `If its ledger is damaged, move ${emulatorDir} away (the bill of earlier pods goes with it) and start again.`,
      onSpawn,
    });
    return { child, url };
  });
}

/** The emulator's pods that have not ended; undefined when it does not answer. */
export async function livingPods(emulatorUrl: string): Promise<number | undefined> {
  const pods = await readLedger(emulatorUrl);
  return pods?.filter((pod) => pod.terminatedAt === null).length;
}

async function readLedger(emulatorUrl: string): Promise<{ terminatedAt: string | null }[] | undefined> {
  try {
    const answer = await fetch(`${emulatorUrl}/admin/ledger`, { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) return undefined;
    const { pods } = (await answer.json()) as { pods?: { terminatedAt: string | null }[] };
    return pods;
  } catch {
    return undefined;
  }
}
