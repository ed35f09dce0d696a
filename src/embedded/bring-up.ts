import { API_KINDS, DevloopError, type ApiKind } from '../contract/index.js';
import type { Connection } from '@temporalio/client';
import { offer, provideModelServer } from './bin-dir.js';
import { ensureBinary, findBinary, type BinaryOptions } from './binaries.js';
import { describeExit, type Child } from './child.js';
import { startEmulator } from './emulator-server.js';
import { ensureGateSecret } from './gate-secret.js';
import type { StackChild, StackConfig, StackEvent } from './stack-types.js';
import { startTemporal } from './temporal-server.js';
import { startWorker } from './worker-process.js';

export interface BringUpOptions {
  readonly config: StackConfig;
  readonly apis: readonly ApiKind[];
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onSpawn: (child: Child<StackChild>) => void;
  readonly onEvent: (event: StackEvent) => void;
}

export interface RunningStack {
  readonly api: ApiKind;
  readonly temporalAddress: string;
  readonly webUiUrl: string;
  readonly emulatorUrl: string;
  readonly connection: Connection;
  readonly children: Readonly<Record<StackChild, Child<StackChild>>>;
}

/** Starts everything as early as what it needs is there. What was started is told to `onSpawn`, also when the whole fails. */
export async function bringUp(options: BringUpOptions): Promise<RunningStack> {
  const failure = new AbortController();
  const parts: Promise<unknown>[] = [];
  try {
    return await bringUpParts({ ...options, signal: AbortSignal.any([options.signal, failure.signal]) }, parts);
  } catch (error) {
    failure.abort(error);
    // A part that goes on could start a process that nobody ends.
    await Promise.allSettled(parts);
    throw error;
  }
}

async function bringUpParts(
  { config, apis, env, signal, onSpawn, onEvent }: BringUpOptions,
  parts: Promise<unknown>[],
): Promise<RunningStack> {
  const startedMs = Date.now();
  const timed = async <T>(
    step: 'binaries' | StackChild,
    work: () => Promise<T>,
    detail?: (result: T) => string,
  ): Promise<T> => {
    const seconds = (): number => (Date.now() - startedMs) / 1000;
    onEvent({ kind: 'step', step, state: 'starting', seconds: seconds() });
    const result = await work();
    onEvent({ kind: 'step', step, state: 'ready', seconds: seconds(), ...(detail && { detail: detail(result) }) });
    return result;
  };
  const { dataDir, cacheDir } = config;
  const binaries: BinaryOptions = {
    cacheDir,
    noDownload: config.noDownload,
    env,
    signal,
    onEvent: (event) => {
      onEvent({ kind: 'binary', ...event });
    },
  };
  const service = { dataDir, env, signal, onSpawn };
  const gateSecret = config.gateSecret ?? ensureGateSecret(dataDir);
  const api = await defaultApi(binaries);

  const modelFile = ensureBinary('model', binaries);
  const temporalProgram = ensureBinary('temporal', binaries);
  const podPrograms = Promise.all([
    ensureBinary('caddy', binaries).then((caddy) => offer(caddy, dataDir, env)),
    ...[...new Set([api, ...apis])].map((kind) => provideModelServer(kind, dataDir, binaries)),
  ]);
  const allBinaries = timed(
    'binaries',
    () => Promise.all([temporalProgram, modelFile, podPrograms]),
    () => (api === 'ollama' ? 'model server: Ollama' : "model server: llama.cpp's"),
  );
  const temporal = temporalProgram.then(({ path }) =>
    timed(
      'temporal',
      () => startTemporal(path, service),
      ({ address, webUiUrl }) => `${address} · Web UI ${webUiUrl}`,
    ),
  );
  const emulator = timed(
    'emulator',
    () => startEmulator(service),
    ({ url }) => url,
  );
  const worker = Promise.all([temporal, emulator, modelFile]).then(([{ address, connection }, { url }, model]) =>
    timed('worker', () =>
      startWorker(
        {
          dataDir,
          cacheDir,
          temporalAddress: address,
          emulatorUrl: url,
          gateSecret,
          gateSecretPrevious: config.gateSecretPrevious,
          api,
          modelFile: model.path,
        },
        connection,
        service,
      ),
    ),
  );
  parts.push(modelFile, temporalProgram, podPrograms, allBinaries, temporal, emulator, worker);
  const ready = Promise.all([temporal, emulator, worker, allBinaries]);
  const [temporalServer, emulatorServer, workerChild] = await Promise.race([
    ready,
    endsEarly(
      temporal.then(({ child }) => child),
      ready,
    ),
    endsEarly(
      emulator.then(({ child }) => child),
      ready,
    ),
  ]);
  return {
    api,
    temporalAddress: temporalServer.address,
    webUiUrl: temporalServer.webUiUrl,
    emulatorUrl: emulatorServer.url,
    connection: temporalServer.connection,
    children: { temporal: temporalServer.child, emulator: emulatorServer.child, worker: workerChild },
  };
}

/** Rejects when a child that was ready ends before the others are; else it never settles. */
async function endsEarly(started: Promise<Child<StackChild>>, ready: Promise<unknown>): Promise<never> {
  const child = await started;
  const exit = await Promise.race([child.exited, ready.then(() => undefined)]);
  if (exit === undefined) return new Promise<never>(() => undefined);
  throw new DevloopError(
    'STACK_FAILED',
    `${describeExit(child, exit)}\nIt had been ready; the others were still starting. Try again.`,
  );
}

/** Ollama where there is one, else llama.cpp's server, unless `DEVLOOP_DEFAULT_API` says which. */
async function defaultApi(binaries: BinaryOptions): Promise<ApiKind> {
  const wanted = binaries.env.DEVLOOP_DEFAULT_API?.trim();
  if (!wanted) return (await findBinary('ollama', binaries)) === undefined ? 'openai' : 'ollama';
  const api = API_KINDS.find((kind) => kind === wanted);
  if (api !== undefined) return api;
  throw new DevloopError('CONFIG_INVALID', `DEVLOOP_DEFAULT_API: must be ${API_KINDS.join(' or ')}.`);
}
