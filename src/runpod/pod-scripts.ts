import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { tarGz } from './tar.js';

/** What a stock image needs to become a pod of ours. */
export interface PodScripts {
  /** Unpacks and starts the scripts: RunPod has no entrypoint override, only `args`. */
  args: string;
  /** Value of {@link podScriptsVariable}: base64 of a gzipped tar of `pod/`. */
  packed: string;
}

export const podScriptsVariable = 'DEVLOOP_POD_SCRIPTS';

const argsFile = 'bootstrap-args.txt';
/** Linux starts no program with a longer `NAME=value` (MAX_ARG_STRLEN, 32 pages). */
const maxValueCharacters = 128 * 1024 - podScriptsVariable.length - 2;

/** Reads and packs the `pod/` directory. Meant to be called once, at a worker's start. */
export function loadPodScripts(directory: string = podDirectory()): PodScripts {
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isPacked(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  const archive = tarGz(
    paths.map((path) => ({
      path: relative(directory, path).split(sep).join('/'),
      content: readFileSync(path),
      isExecutable: path.endsWith('.sh'),
    })),
  );
  const packed = archive.toString('base64');
  if (packed.length > maxValueCharacters) {
    throw new Error(
      `${directory}: packed to ${packed.length} characters, but an environment value holds ${maxValueCharacters}`,
    );
  }
  return { args: readFileSync(join(directory, argsFile), 'utf8').trim(), packed };
}

/** Not for building an image, for people, or for telling the pod to unpack the rest. */
function isPacked(name: string): boolean {
  return name !== argsFile && name !== 'Dockerfile' && !name.startsWith('.') && !name.endsWith('.md');
}

/** `pod/` lies at the root of the package, which is not equally far from the sources and from what is compiled of them. */
function podDirectory(): string {
  for (let at = import.meta.dirname; ; at = dirname(at)) {
    const candidate = join(at, 'pod');
    if (existsSync(join(candidate, 'entrypoint.sh'))) return candidate;
    if (at === dirname(at))
      throw new Error(`no pod/entrypoint.sh above ${import.meta.dirname}: is the installation complete?`);
  }
}
