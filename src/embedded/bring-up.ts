import { API_KINDS, DevloopError, type ApiKind } from '../contract/index.js';
import type { Connection } from '@temporalio/client';
import { ensureBinary, findBinary, type BinaryOptions } from './binaries.js';
import { describeExit, type Child } from './child.js';
import { ensureGateSecret } from './secrets.js';
import { accountSide, startEmulatorSide, type RunPodSide, type Timed } from './runpod-side.js';
import type { RunPodAccount, StackChild, StackConfig, StackEvent } from './stack-types.js';
import { startTemporal } from './temporal-server.js';
import { startWorker } from './worker-process.js';

export interface BringUpOptions {
  readonly config: StackConfig;
  readonly account?: RunPodAccount | undefined;
  readonly apis: readonly ApiKind[];
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onSpawn: (child: Child<StackChild>) => void;
  readonly onEvent: (event: StackEvent) => void;
}

export interface RunningStack {
  readonly temporalAddress: string;
  readonly webUiUrl: string;
  readonly connection: Connection;
  readonly temporal: Child<StackChild>;
  readonly worker: Child<StackChild>;
  readonly side: RunPodSide;
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
  { config, account, apis, env, signal, onSpawn, onEvent }: BringUpOptions,
  parts: Promise<unknown>[],
): Promise<RunningStack> {
  const startedMs = Date.now();
  const timed: Timed = async (step, work, detail) => {
    const seconds = (): number => (Date.now() - startedMs) / 1000;
    onEvent({ kind: 'step', step, state: 'starting', seconds: seconds() });
    const result = await work();
    onEvent({ kind: 'step', step, state: 'ready', seconds: seconds(), ...(detail && { detail: detail(result) }) });
    return result;
  };
  const { dataDir, cacheDir, gateSecretPrevious } = config;
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
  const starting =
    account === undefined
      ? startEmulatorSide({ api: await defaultApi(binaries), apis, binaries, service, timed })
      : accountSide(account, config.defaults);
  const temporalProgram = ensureBinary('temporal', binaries);
  const allBinaries = timed(
    'binaries',
    () => Promise.all([starting.programs, temporalProgram]),
    ([words]) => words,
  );
  const temporal = temporalProgram.then(({ path }) =>
    timed(
      'temporal',
      () => startTemporal(path, service),
      ({ address, webUiUrl }) => `${address} · Web UI ${webUiUrl}`,
    ),
  );
  const worker = Promise.all([temporal, starting.ready]).then(([{ address, connection }, runpod]) =>
    timed('worker', () =>
      startWorker(
        { dataDir, cacheDir, temporalAddress: address, runpod, gateSecret, gateSecretPrevious },
        connection,
        service,
      ),
    ),
  );
  parts.push(temporalProgram, starting.programs, allBinaries, temporal, starting.child, starting.ready, worker);
  const ready = Promise.all([temporal, starting.ready, worker, allBinaries]);
  const temporalChild = temporal.then(({ child }) => child);
  const [{ address, webUiUrl, connection, child }, side, workerChild] = await Promise.race([
    ready,
    endsEarly(temporalChild, ready),
    endsEarly(starting.child, ready),
  ]);
  return { temporalAddress: address, webUiUrl, connection, temporal: child, worker: workerChild, side };
}

/** Rejects when a child that was ready ends before the others are; else it never settles. */
async function endsEarly(started: Promise<Child<StackChild> | undefined>, ready: Promise<unknown>): Promise<never> {
  const child = await started;
  const exit = await Promise.race([child?.exited, ready.then(() => undefined)]);
  if (child === undefined || exit === undefined) return new Promise<never>(() => undefined);
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
