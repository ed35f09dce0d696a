import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeStaging } from '../../src/embedded/cache.js';
import { findPython, requirePip } from '../../src/embedded/python.js';
import { runProgram, type ProgramResult } from '../../src/embedded/run-program.js';

/** Schemathesis and all that it needs, each in one version. */
const REQUIREMENTS = join(import.meta.dirname, 'schemathesis-requirements.txt');

/**
 * Runs the command, which is fetched into the cache the first time.
 * @param cwd where its configuration file is
 */
export async function runSchemathesis(
  args: readonly string[],
  { cacheDir, cwd, timeoutMs }: { readonly cacheDir: string; readonly cwd: string; readonly timeoutMs: number },
): Promise<ProgramResult> {
  const python = requirePip(await findPython(process.env), 'schemathesis', 'leave this test out');
  const folder = await installed(cacheDir, python.path, python.version);
  const env = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' };
  return runProgram(python.path, ['-m', 'schemathesis.cli', ...args], { env, cwd, timeoutMs });
}

/** Wheels of one Python are not those of another. */
async function installed(cacheDir: string, python: string, version: string): Promise<string> {
  const key = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
  const [major, minor] = version.split('.');
  const folder = join(cacheDir, `schemathesis-${key}-py${major}.${minor}`);
  if (existsSync(folder)) return folder;
  const staging = await makeStaging(cacheDir);
  try {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps'];
    const result = await runProgram(
      python,
      [...pip, '--only-binary', ':all:', '--target', join(staging, 'packages'), '-r', REQUIREMENTS],
      { timeoutMs: 180_000 },
    );
    if (result.code !== 0) throw new Error(`schemathesis could not be fetched: ${result.stderr}`);
    await rename(join(staging, 'packages'), folder).catch((error: unknown) => {
      // Another run was first.
      if (!existsSync(folder)) throw error;
    });
    return folder;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
