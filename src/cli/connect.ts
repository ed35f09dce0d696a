import { loadConfig, readEnvironment, type Config } from '../config.js';
import { DevloopClient } from '../client/index.js';
import { noWorkerError, temporalFromEnvironment, type TemporalSettings } from '../client/internal.js';
import { DevloopError } from '../contract/index.js';
import { readStack, type StackInfo } from '../embedded/index.js';
import { embeddedModeLine, externalModeLine } from './mode.js';
import type { Output } from './output.js';

export interface Connected {
  readonly client: DevloopClient;
  /** This clone's living stack, when that is what answers. */
  readonly stack: StackInfo | undefined;
}

/** The environment with `.env`, parsed once for a command. */
export interface Surroundings {
  readonly config: Config;
  /** Undefined: nothing names a Temporal. */
  readonly temporal: TemporalSettings | undefined;
}

export function surroundings(): Surroundings {
  const env = readEnvironment();
  return { config: loadConfig(env), temporal: temporalFromEnvironment(env) };
}

/**
 * For commands that use what is there and start nothing: the Temporal of the environment, else this clone's living stack.
 * @throws DevloopError `TEMPORAL_UNREACHABLE` with the way out when there is neither
 */
export async function connectToRunning(out: Output): Promise<Connected> {
  const { config, temporal } = surroundings();
  if (temporal !== undefined) return { client: await connectExternal(temporal, out), stack: undefined };
  const stack = readStack(config.dataDir);
  if (stack === undefined) {
    throw new DevloopError(
      'TEMPORAL_UNREACHABLE',
      'no stack is running in this clone and TEMPORAL_ADDRESS is not set. Start one with: devloop start-session, or devloop dev',
    );
  }
  out.note(out.colors.dim(embeddedModeLine(stack.runpod === 'account' ? stack.apiUrl : undefined)));
  return { client: await connectToStack(stack), stack };
}

export function connectToStack(stack: StackInfo): Promise<DevloopClient> {
  return DevloopClient.connect({ address: stack.temporalAddress, namespace: stack.namespace });
}

export async function connectExternal(temporal: TemporalSettings, out: Output): Promise<DevloopClient> {
  out.note(out.colors.dim(externalModeLine(temporal.address, temporal.namespace)));
  return DevloopClient.connect();
}

/** @throws DevloopError `NO_WORKER` with the way out */
export async function requireWorker({ client, stack }: Connected, signal?: AbortSignal): Promise<void> {
  const died = stack?.died.findLast(({ name }) => name === 'worker');
  const seen = await client.hasWorker({
    ...(died === undefined ? {} : { polledAfter: died.at }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (!seen) throw noWorker({ client, stack });
}

/** An answer that a worker has to give. Without one the way out depends on whose worker it is. */
export async function fromWorker<T>(connected: Connected, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    throw error instanceof DevloopError && error.code === 'NO_WORKER' ? noWorker(connected) : error;
  }
}

function noWorker({ client, stack }: Connected): DevloopError {
  if (stack === undefined) return noWorkerError(client.address);
  return new DevloopError(
    'NO_WORKER',
    `the worker of this clone's stack has ended; its log is in ${stack.logsDir}. End the stack (Ctrl-C where devloop dev or devloop start-session runs) and start it again.`,
  );
}
