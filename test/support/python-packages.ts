import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeStaging } from '../../src/embedded/cache.js';
import { findPython, requirePip } from '../../src/embedded/python.js';
import { runProgram, type ProgramResult } from '../../src/embedded/run-program.js';

export interface PythonPackages {
  readonly name: string;
  /** File with what is needed. */
  readonly requirements: string;
  /** Whether the file names everything, or pip looks for what those packages need. */
  readonly complete: boolean;
}

export interface PythonRun {
  readonly cacheDir: string;
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs Python with packages that are fetched into the cache the first time. */
export async function runPython(
  packages: PythonPackages,
  args: readonly string[],
  { cacheDir, cwd, timeoutMs, env: more = {} }: PythonRun,
): Promise<ProgramResult> {
  const python = requirePip(await findPython(process.env), packages.name, 'leave this test out');
  const folder = await installed(packages, cacheDir, python.path, python.version);
  const env = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1', ...more };
  return runProgram(python.path, args, { env, cwd, timeoutMs });
}

/** Wheels of one Python are not those of another. */
async function installed(
  { name, requirements, complete }: PythonPackages,
  cacheDir: string,
  python: string,
  version: string,
): Promise<string> {
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const [major, minor] = version.split('.');
  const folder = join(cacheDir, `${name}-${key}-py${major}.${minor}`);
  if (existsSync(folder)) return folder;
  const staging = await makeStaging(cacheDir);
  try {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
    const result = await runProgram(
      python,
      [
        ...pip,
        ...(complete ? ['--no-deps'] : []),
        ...['--only-binary', ':all:', '--target', join(staging, 'packages'), '-r', requirements],
      ],
      { timeoutMs: 180_000 },
    );
    if (result.code !== 0) throw new Error(`${name} could not be fetched: ${result.stderr}`);
    await rename(join(staging, 'packages'), folder).catch((error: unknown) => {
      // Another run was first.
      if (!existsSync(folder)) throw error;
    });
    return folder;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
