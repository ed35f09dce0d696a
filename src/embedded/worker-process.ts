import { join } from 'node:path';
import type { Connection } from '@temporalio/client';
import type { Child } from './child.js';
import { workerEnvironment, type WorkerSettings } from './child-environment.js';
import { dataPaths } from './data-dir.js';
import { compiledRoot } from './layout.js';
import { missingPollers } from './pollers.js';
import { startChild } from './start-child.js';
import type { StackChild } from './stack-types.js';
import type { ServiceOptions } from './temporal-server.js';

const READY_TIMEOUT_MS = 60_000;

export async function startWorker(
  settings: WorkerSettings,
  connection: Connection,
  { dataDir, env, signal, onSpawn }: ServiceOptions,
): Promise<Child<StackChild>> {
  const { child } = await startChild({
    spec: {
      name: 'worker',
      command: process.execPath,
      args: [join(compiledRoot(), 'src', 'worker.js')],
      env: workerEnvironment(env, settings),
      // Not where the user's .env is: what of it concerns the stack came by the environment.
      cwd: dataDir,
      logFile: join(dataPaths(dataDir).logsDir, 'worker.log'),
    },
    probe: async () => {
      const missing = await missingPollers(connection).catch(() => ['unknown']);
      return missing.length === 0 ? true : undefined;
    },
    timeoutMs: READY_TIMEOUT_MS,
    signal,
    wayOut: 'If it says that a file of dist is missing, run npm run build.',
    onSpawn,
  });
  return child;
}
