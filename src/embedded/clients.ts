import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dataPaths } from './data-dir.js';
import { readJson, writeJsonAtomically } from './files.js';
import { isRunning, ownIdentity, type ProcessIdentity } from './processes.js';
import { parseIdentity } from './stack-file.js';

/** Says that this process uses the data folder's stack. */
export interface ClientRegistration {
  /** May be called more than once. */
  release(): void;
}

let registrations = 0;

/** A stack does not end by itself while a registered process lives. A dead one needs no release. */
export function registerClient(dataDir: string): ClientRegistration {
  const file = join(dataPaths(dataDir).clientsDir, `${process.pid}.${registrations++}`);
  const release = (): void => {
    rmSync(file, { force: true });
    process.off('exit', release);
  };
  writeJsonAtomically(file, ownIdentity());
  process.on('exit', release);
  return { release };
}

/** Forgets dead ones. */
export function livingClients(dataDir: string): ProcessIdentity[] {
  const { clientsDir } = dataPaths(dataDir);
  const living: ProcessIdentity[] = [];
  // Others may be half-written: their names end differently until they are renamed.
  for (const name of namesIn(clientsDir).filter((file) => /^\d+\.\d+$/.test(file))) {
    const identity = parseIdentity(readJson(join(clientsDir, name)));
    if (identity !== undefined && isRunning(identity)) living.push(identity);
    else rmSync(join(clientsDir, name), { force: true });
  }
  return living;
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
