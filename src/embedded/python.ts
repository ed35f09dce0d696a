import { DevloopError } from '../contract/index.js';
import { runProgram } from './run-program.js';

export interface Python {
  /** The interpreter itself, not a version manager's shim in front of it. */
  readonly path: string;
  readonly version: string;
  /** Undefined where pip is not installed. */
  readonly pipVersion: string | undefined;
}

/** The stable ABI that the model server's wheel was built for: CPython 3.10. */
const MODEL_SERVER_MINIMUM = [3, 10] as const;

const INSTALL_PYTHON =
  'Install Python 3.10 or newer with pip (Debian, Ubuntu: apt install python3 python3-pip; macOS: brew install python)';

const PROBE = `
import importlib.util, platform, sys
pip = None
if importlib.util.find_spec("pip"):
    import importlib.metadata
    pip = importlib.metadata.version("pip")
print(sys.executable, platform.python_version(), pip or "", sep="\\n")
`;

const found = new Map<string, Promise<Python | undefined>>();

/** Undefined when PATH has no working python3. Looks once for each PATH. */
export function findPython(env: NodeJS.ProcessEnv): Promise<Python | undefined> {
  const path = env.PATH ?? '';
  const python = found.get(path) ?? probe(env);
  found.set(path, python);
  return python;
}

async function probe(env: NodeJS.ProcessEnv): Promise<Python | undefined> {
  const { code, stdout } = await runProgram('python3', ['-c', PROBE], { env, timeoutMs: 15_000 });
  const [path, version, pipVersion] = stdout.split('\n');
  if (code !== 0 || !path || !version) return undefined;
  return { path, version, pipVersion: pipVersion === '' ? undefined : pipVersion };
}

export function canRunModelServer(python: Python): boolean {
  const [major = 0, minor = 0] = python.version.split('.').map(Number);
  return major === MODEL_SERVER_MINIMUM[0] && minor >= MODEL_SERVER_MINIMUM[1];
}

/** @throws DevloopError `PREREQUISITE_MISSING` when there is no python3 with pip */
export function requirePip(python: Python | undefined, what: string, alternative: string): Python {
  if (python?.pipVersion !== undefined) return python;
  const problem = python === undefined ? 'python3 was not found on PATH' : `${python.path} has no pip`;
  throw new DevloopError(
    'PREREQUISITE_MISSING',
    `cannot fetch ${what}: ${problem}. ${INSTALL_PYTHON}, or ${alternative}.`,
  );
}

/** @throws DevloopError `PREREQUISITE_MISSING` when the model server's extension cannot be loaded by this python3 */
export function requireModelServerPython(python: Python | undefined, alternative: string): Python {
  if (python !== undefined && canRunModelServer(python)) return python;
  const found = python === undefined ? 'python3 was not found on PATH' : `${python.path} is version ${python.version}`;
  throw new DevloopError(
    'PREREQUISITE_MISSING',
    `llama-server needs Python ${MODEL_SERVER_MINIMUM.join('.')} or newer: ${found}. ${INSTALL_PYTHON}, or ${alternative}.`,
  );
}
