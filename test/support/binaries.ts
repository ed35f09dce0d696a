import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { loadConfig } from '../../src/config.js';

/** Programs and files that tests use but no package of ours brings: where they are, undefined where there is none. */
export const binaries = {
  caddy: process.env.DEVLOOP_CADDY ?? onPath('caddy'),
  ollama: process.env.DEVLOOP_OLLAMA ?? onPath('ollama'),
  llamaServer: process.env.DEVLOOP_LLAMA_SERVER ?? onPath('llama-server'),
  modelFile: process.env.DEVLOOP_TEST_MODEL_FILE,
  chromium: process.env.DEVLOOP_CHROMIUM ?? onPath('chromium'),
  script: onPath('script'),
  actionlint: lintTool('actionlint') ?? onPath('actionlint'),
};

export type BinaryName = keyof typeof binaries;

/** True where the tests that need these have to be skipped. Where everything is demanded they run, and fail. */
export function isMissing(...names: BinaryName[]): boolean {
  return process.env.DEVLOOP_REQUIRE_ALL !== '1' && names.some((name) => binaries[name] === undefined);
}

/** @throws Error that names what is missing */
export function needed(name: BinaryName): string {
  const path = binaries[name];
  if (path === undefined) throw new Error(`${name} was not found`);
  return path;
}

function onPath(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** What `.ci/lint.sh` fetched. */
function lintTool(program: string): string | undefined {
  const folder = join(loadConfig().cacheDir, 'lint-tools');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const name = names.sort().findLast((file) => file.startsWith(`${program}-`));
  return name === undefined ? undefined : join(folder, name);
}
