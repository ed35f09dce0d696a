import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ApiKind } from '../contract/index.js';
import { ensureBinary, findBinary, isPythonExtension, type BinaryOptions } from './binaries.js';
import type { FoundBinary } from './binary-types.js';
import { compiledRoot } from './layout.js';
import { DevloopError } from '../contract/index.js';
import { findPython, requireModelServerPython } from './python.js';

/** Stands first on the PATH of the emulator and so of its pods; may grow while the stack lives. */
export function binDir(dataDir: string): string {
  return join(dataDir, 'bin');
}

/**
 * Makes the model server of that API usable by the stack's pods: `ollama` (never fetched) or `llama-server`.
 * @throws DevloopError `PREREQUISITE_MISSING`
 */
export async function provideModelServer(api: ApiKind, dataDir: string, options: BinaryOptions): Promise<void> {
  if (api === 'openai') {
    await offer(await ensureBinary('llama-server', options), dataDir, options.env);
    return;
  }
  const ollama = await findBinary('ollama', options);
  if (ollama === undefined) {
    throw new DevloopError(
      'PREREQUISITE_MISSING',
      'a session with api=ollama needs Ollama, which was not found on PATH. Install it (ollama.com), set DEVLOOP_OLLAMA, or use --api openai.',
    );
  }
  await offer(ollama, dataDir, options.env);
}

/** Puts the program into the stack's bin folder under its name. Replaces what is there in one step: a pod may be starting. */
export async function offer(binary: FoundBinary, dataDir: string, env: NodeJS.ProcessEnv): Promise<void> {
  const dir = binDir(dataDir);
  await mkdir(dir, { recursive: true });
  const temporary = join(dir, `.${binary.name}-${process.pid}`);
  await rm(temporary, { force: true });
  if (isPythonExtension(binary)) {
    await writeFile(temporary, await pythonProgram(binary, env));
    await chmod(temporary, 0o755);
  } else {
    await symlink(resolve(binary.path), temporary);
  }
  await rename(temporary, join(dir, binary.name));
}

async function pythonProgram(binary: FoundBinary, env: NodeJS.ProcessEnv): Promise<string> {
  const python = requireModelServerPython(await findPython(env), 'install Ollama, or set DEVLOOP_LLAMA_SERVER');
  const script = join(compiledRoot(), '..', 'src', 'embedded', 'llama-server.py');
  const packages = dirname(dirname(binary.path));
  const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  return `#!/bin/sh\nPYTHONPATH=${quoted(packages)} exec ${quoted(python.path)} ${quoted(script)} "$@"\n`;
}
