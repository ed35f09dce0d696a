import { stat } from 'node:fs/promises';
import { DevloopError } from '../contract/index.js';
import type { BinaryEvent, BinaryName, BinarySource, FoundBinary } from './binary-types.js';
import { cachedMember, entryDir, officialEntry } from './cache.js';
import { fetchPackage } from './fetch-package.js';
import { packagePin } from './pins.js';
import { messageOf } from './problems.js';
import { findPython, requireModelServerPython, requirePip } from './python.js';
import { isExecutableFile, onPath, runProgram } from './run-program.js';

export const VARIABLES: Readonly<Record<BinaryName, string>> = {
  temporal: 'DEVLOOP_TEMPORAL_CLI',
  caddy: 'DEVLOOP_CADDY',
  ollama: 'DEVLOOP_OLLAMA',
  'llama-server': 'DEVLOOP_LLAMA_SERVER',
  model: 'DEVLOOP_MODEL_FILE',
};

/** What the user can install instead of our fetching it. */
export const ALTERNATIVES: Readonly<Record<BinaryName, string>> = {
  temporal: 'install the Temporal CLI (docs.temporal.io/cli) on PATH or set DEVLOOP_TEMPORAL_CLI',
  caddy: 'install Caddy 2 (caddyserver.com) on PATH or set DEVLOOP_CADDY',
  ollama: 'install Ollama (ollama.com) on PATH or set DEVLOOP_OLLAMA',
  'llama-server': "install llama.cpp's llama-server or Ollama on PATH, or set DEVLOOP_LLAMA_SERVER or DEVLOOP_OLLAMA",
  model: 'set DEVLOOP_MODEL_FILE to a .gguf file',
};

/** Temporal server 1.29, the oldest that this was tried with. An older CLI on PATH is passed over. */
const TEMPORAL_MINIMUM = [1, 5] as const;

export interface BinaryOptions {
  readonly cacheDir: string;
  readonly noDownload: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: BinaryEvent) => void;
}

/**
 * Looks at the environment variable, PATH and the cache, in this order; fetches nothing.
 * @throws DevloopError `PREREQUISITE_MISSING` when the variable names something that cannot be used
 */
export async function findBinary(
  name: BinaryName,
  { cacheDir, env }: Pick<BinaryOptions, 'cacheDir' | 'env'>,
): Promise<FoundBinary | undefined> {
  const named = env[VARIABLES[name]]?.trim();
  if (named) {
    await requireUsable(name, named);
    return found(name, named, 'environment');
  }
  const onThePath = name === 'model' ? undefined : await usableOnPath(name, env);
  if (onThePath !== undefined) return found(name, onThePath, 'path');
  if (name === 'ollama') return undefined;
  const pin = packagePin(name);
  const cached = pin && (await cachedMember(entryDir(cacheDir, name, pin), pin));
  if (cached !== undefined) return found(name, cached, 'cache');
  const official = officialEntry(cacheDir);
  return name === 'temporal' && (await isExecutableFile(official)) ? found(name, official, 'cache') : undefined;
}

/**
 * Finds it, else fetches it into the cache once.
 * @throws DevloopError `PREREQUISITE_MISSING` with the cause and the way out
 */
export async function ensureBinary(name: Exclude<BinaryName, 'ollama'>, options: BinaryOptions): Promise<FoundBinary> {
  const existing = await findBinary(name, options);
  if (existing !== undefined) return existing;
  const alternative = ALTERNATIVES[name];
  if (options.noDownload) {
    throw new DevloopError(
      'PREREQUISITE_MISSING',
      `${name} was not found and DEVLOOP_NO_DOWNLOAD forbids fetching it. Unset that, or ${alternative}.`,
    );
  }
  try {
    return found(name, await fetchFromPackage(name, options, alternative), 'package');
  } catch (error) {
    options.signal?.throwIfAborted();
    if (name !== 'temporal') throw error;
    return fetchOfficial(options, error);
  }
}

/** A line such as `temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)`; undefined when it does not answer. */
export async function versionOf({ name, path }: FoundBinary): Promise<string | undefined> {
  if (name === 'model') return undefined;
  if (name === 'llama-server' && path.endsWith('.so')) return packagePin(name)?.version;
  const { code, stdout, stderr } = await runProgram(path, [name === 'caddy' ? 'version' : '--version'], {
    timeoutMs: 5000,
  });
  const line = `${stdout}\n${stderr}`.split('\n').find((text) => /\d+\.\d+/.test(text));
  return code === 0 ? line?.trim() : undefined;
}

/** The model server out of the package is a Python extension: a program must be made around it. */
export function isPythonExtension({ name, path }: FoundBinary): boolean {
  return name === 'llama-server' && path.endsWith('.so');
}

async function fetchFromPackage(
  name: Exclude<BinaryName, 'ollama'>,
  { cacheDir, env, signal, onEvent }: BinaryOptions,
  alternative: string,
): Promise<string> {
  const pin = packagePin(name);
  if (pin === undefined) {
    throw new DevloopError(
      'PREREQUISITE_MISSING',
      `${name} was not found and there is no package of it for ${process.platform}-${process.arch}: ${alternative}.`,
    );
  }
  const python = requirePip(await findPython(env), name, alternative);
  if (name === 'llama-server') requireModelServerPython(python, alternative);
  return fetchPackage(name, pin, { cacheDir, python, env, alternative, signal, onEvent });
}

async function fetchOfficial(
  { cacheDir, onEvent, signal }: BinaryOptions,
  packageProblem: unknown,
): Promise<FoundBinary> {
  const startedMs = Date.now();
  const report = (state: BinaryEvent['state']): void =>
    onEvent?.({
      name: 'temporal',
      state,
      version: 'as the SDK chooses',
      from: 'official download',
      seconds: (Date.now() - startedMs) / 1000,
    });
  report('fetching');
  try {
    // The SDK's worker takes long to load, and hardly anybody comes this far.
    const { officialTemporal } = await import('./official-download.js');
    const path = await officialTemporal(cacheDir, signal);
    report('done');
    return found('temporal', path, 'official download');
  } catch {
    signal?.throwIfAborted();
    // The last resort failed as well: what helps the user is why the first way failed.
    throw new DevloopError('PREREQUISITE_MISSING', `${messageOf(packageProblem)} The official download failed too.`, {
      cause: packageProblem,
    });
  }
}

async function usableOnPath(name: BinaryName, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const path of await onPath(name, env)) {
    if (name !== 'temporal' || (await isRecentTemporal(path))) return path;
  }
  return undefined;
}

async function isRecentTemporal(path: string): Promise<boolean> {
  const version = /(\d+)\.(\d+)/.exec((await versionOf({ name: 'temporal', path, source: 'path' })) ?? '');
  if (version === null) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > TEMPORAL_MINIMUM[0] || (major === TEMPORAL_MINIMUM[0] && minor >= TEMPORAL_MINIMUM[1]);
}

async function requireUsable(name: BinaryName, path: string): Promise<void> {
  const usable =
    name === 'model'
      ? await stat(path).then(
          (file) => file.isFile() && file.size > 0,
          () => false,
        )
      : await isExecutableFile(path);
  if (usable) return;
  throw new DevloopError(
    'PREREQUISITE_MISSING',
    `${VARIABLES[name]}=${path}: there is no ${name === 'model' ? 'model file' : 'executable file'}. Correct the variable or unset it.`,
  );
}

function found(name: BinaryName, path: string, source: BinarySource): FoundBinary {
  return { name, path, source };
}
