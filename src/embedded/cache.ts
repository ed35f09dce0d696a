import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { PackagePin } from './pins.js';
import { errorCodeOf, fileProblem } from './problems.js';
import { isRunning, ownIdentity, type ProcessIdentity } from './processes.js';

const STAMP_FILE = 'verified.json';
const STAGING_PREFIX = '.fetch-';

/** Version of the Temporal CLI that the SDK's own download is asked for: the one that the package pins too. */
export const OFFICIAL_VERSION = 'v1.9.1';

export function officialEntry(cacheDir: string): string {
  return join(cacheDir, `temporal-official-${OFFICIAL_VERSION}`, 'temporal');
}

export function entryDir(cacheDir: string, name: string, pin: PackagePin): string {
  return join(cacheDir, `${name}-${pin.version}-${pin.sha256.slice(0, 12)}`);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/**
 * The member's path when the entry is whole: its hash was verified, now or at an earlier time since which size and
 * modification time stayed the same. Undefined for no entry and for a damaged one.
 */
export async function cachedMember(dir: string, pin: PackagePin): Promise<string | undefined> {
  const path = join(dir, pin.member);
  const stamp = await stampOf(path, pin);
  if (stamp === undefined) return undefined;
  if ((await readFile(join(dir, STAMP_FILE), 'utf8').catch(() => '')) === stamp) return path;
  return (await verifyMember(dir, pin)) ? path : undefined;
}

/** Computes the member's hash and, when it is the expected one, remembers that. */
export async function verifyMember(dir: string, pin: PackagePin): Promise<boolean> {
  const path = join(dir, pin.member);
  const stamp = await stampOf(path, pin);
  if (stamp === undefined || (await sha256Of(path).catch(() => '')) !== pin.memberSha256) return false;
  // A cache that cannot be written is still good to read: the hash is then computed every time.
  await writeFile(join(dir, STAMP_FILE), stamp).catch(() => undefined);
  return true;
}

async function stampOf(path: string, pin: PackagePin): Promise<string | undefined> {
  const file = await stat(path).catch(() => undefined);
  if (!file?.isFile() || file.size !== pin.memberBytes) return undefined;
  return JSON.stringify({ sha256: pin.memberSha256, bytes: file.size, modifiedMs: file.mtimeMs });
}

/** @throws DevloopError `PREREQUISITE_MISSING` when the cache cannot be made or written */
export async function makeStaging(cacheDir: string): Promise<string> {
  const identity = JSON.stringify(ownIdentity());
  try {
    await mkdir(cacheDir, { recursive: true });
    await removeAbandonedStaging(cacheDir);
    for (let n = 0; ; n++) {
      const staging = join(cacheDir, `${STAGING_PREFIX}${process.pid}-${n}`);
      const made = await mkdir(staging).then(
        () => true,
        (error: unknown) => {
          if (errorCodeOf(error) !== 'EEXIST') throw error;
          return false;
        },
      );
      if (!made) continue;
      await writeFile(join(staging, 'owner.json'), identity);
      return staging;
    }
  } catch (error) {
    throw cacheProblem(cacheDir, error);
  }
}

/** Puts a complete staging folder in the place of the entry. Another process may do the same: whoever is first wins. */
export async function publish(staging: string, dir: string, pin: PackagePin): Promise<string> {
  const published = join(dir, pin.member);
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await rename(staging, dir);
      return published;
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errorCodeOf(error) ?? '')) throw error;
    }
    if ((await cachedMember(dir, pin)) !== undefined) return published;
    // A damaged entry goes away by a rename: a process that reads it keeps its open file.
    const trash = `${staging}-damaged`;
    await rename(dir, trash).catch(() => undefined);
    await rm(trash, { recursive: true, force: true });
  }
  throw new Error(`the entry ${dir} keeps changing`);
}

export function cacheProblem(cacheDir: string, error: unknown): Error {
  return fileProblem(
    'PREREQUISITE_MISSING',
    'the cache folder',
    cacheDir,
    error,
    'Make it writable, free some space, or set DEVLOOP_CACHE_DIR to another folder.',
  );
}

async function removeAbandonedStaging(cacheDir: string): Promise<void> {
  const names = (await readdir(cacheDir)).filter((name) => name.startsWith(STAGING_PREFIX));
  for (const name of names) {
    const staging = join(cacheDir, name);
    const owner = await readOwner(staging);
    if (owner !== undefined && !isRunning(owner)) await rm(staging, { recursive: true, force: true });
  }
}

/** Undefined while its maker has not yet written who it is. */
async function readOwner(staging: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(join(staging, 'owner.json'), 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
