import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileProblem } from './problems.js';

/** Where things are in `DEVLOOP_DATA_DIR`. */
export function dataPaths(dataDir: string) {
  return {
    stackFile: join(dataDir, 'stack.json'),
    lockFile: join(dataDir, 'stack.lock'),
    /** Every process of the running stack, written before it is ready too: what a killed supervisor leaves is found here. */
    processesFile: join(dataDir, 'processes.json'),
    clientsDir: join(dataDir, 'clients'),
    logsDir: join(dataDir, 'logs'),
    supervisorLog: join(dataDir, 'logs', 'supervisor.log'),
    gateSecretFile: join(dataDir, 'gate-secret'),
    controlTokenFile: join(dataDir, 'control-token'),
    temporalDatabase: join(dataDir, 'temporal.db'),
    emulatorDir: join(dataDir, 'emulator'),
  } as const;
}

/**
 * Makes the folder and tries to write in it.
 * @throws DevloopError `CONFIG_INVALID` with the cause and the way out
 */
export function prepareDataDir(dataDir: string): void {
  const { clientsDir, logsDir, emulatorDir } = dataPaths(dataDir);
  const probe = join(dataDir, `.probe-${process.pid}`);
  try {
    for (const dir of [dataDir, clientsDir, logsDir, emulatorDir]) mkdirSync(dir, { recursive: true, mode: 0o700 });
    // An empty file fits on a full disk.
    writeFileSync(probe, Buffer.alloc(4096));
    rmSync(probe);
  } catch (error) {
    throw dataDirProblem(dataDir, error);
  }
}

export function dataDirProblem(dataDir: string, error: unknown): Error {
  return fileProblem(
    'CONFIG_INVALID',
    'the data folder',
    dataDir,
    error,
    'Make it a writable folder with free space, or set DEVLOOP_DATA_DIR to another one.',
  );
}
