import { linkSync, renameSync, rmSync } from 'node:fs';
import { dataPaths } from './data-dir.js';
import { readJson, writeJsonAtomically } from './files.js';
import { errorCodeOf } from './problems.js';
import { isRunning, ownIdentity, type ProcessIdentity } from './processes.js';
import { parseIdentity } from './stack-file.js';

export interface StackLock {
  /** False when it was taken away, which happens only when several processes clear a dead one's lock in the same instant. */
  isHeld(): boolean;
  release(): void;
}

/** The living supervisor of this data folder, ready or not. */
export function lockHolder(dataDir: string): ProcessIdentity | undefined {
  const holder = parseIdentity(readJson(dataPaths(dataDir).lockFile));
  return holder !== undefined && isRunning(holder) ? holder : undefined;
}

/** One supervisor per data folder. Undefined when another living one has the lock; a dead one's is taken over. */
export function takeStackLock(dataDir: string): StackLock | undefined {
  const { lockFile } = dataPaths(dataDir);
  const mine = `${lockFile}.${process.pid}`;
  const stale = `${mine}.stale`;
  const identity = ownIdentity();
  writeJsonAtomically(mine, identity);
  try {
    for (;;) {
      if (linkIfAbsent(mine, lockFile)) break;
      if (lockHolder(dataDir) !== undefined) return undefined;
      // A rename takes exactly one file away: what was taken is looked at again, as another may have been quicker.
      if (!renameIfPresent(lockFile, stale)) continue;
      const taken = parseIdentity(readJson(stale));
      if (taken !== undefined && isRunning(taken)) linkIfAbsent(stale, lockFile);
      rmSync(stale, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
  const isHeld = (): boolean => {
    const holder = lockHolder(dataDir);
    return holder?.pid === identity.pid && holder.start === identity.start;
  };
  return {
    isHeld,
    release: () => {
      if (isHeld()) rmSync(lockFile, { force: true });
    },
  };
}

function linkIfAbsent(existing: string, path: string): boolean {
  try {
    linkSync(existing, path);
    return true;
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function renameIfPresent(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
