import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { ConfigError, messageOf } from './config-error.js';
import { identify, isRunning } from './pods/process-table.js';

const ownerSchema = z.object({ pid: z.int(), startedAt: z.string() });

const readOwner = (file: string): z.infer<typeof ownerSchema> | undefined => {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
};

/**
 * Makes the data directory ready and this process its only user: two emulators would overwrite each other's ledger and
 * end each other's pods. Throws a ConfigError when that cannot be. The answer gives the directory free again.
 */
export function claimDataDir(dataDir: string): () => void {
  const file = path.join(dataDir, 'emulator.pid');
  const self = JSON.stringify(identify(process.pid));
  try {
    mkdirSync(dataDir, { recursive: true });
    try {
      writeFileSync(file, self, { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      refuseLivingOwner(dataDir, file);
      writeFileSync(file, self);
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(
      `cannot write to the data directory ${dataDir}: ${messageOf(error)}. Use another --data-dir.`,
    );
  }
  return () => {
    rmSync(file, { force: true });
  };
}

function refuseLivingOwner(dataDir: string, file: string): void {
  const owner = readOwner(file);
  if (!owner || !isRunning(owner)) return;
  throw new ConfigError(
    `the data directory ${dataDir} is in use by an emulator with pid ${owner.pid}. End that one, or use another --data-dir.`,
  );
}
