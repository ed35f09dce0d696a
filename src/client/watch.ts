import { setTimeout as delay } from 'node:timers/promises';
import { DevloopError } from '../contract/index.js';

/** A worker that is restarted, or a server that is, comes back within this; a watcher waits for it. */
const PATIENCE_MS = 60_000;
const INTERVAL_MS = 500;

export interface WatchOptions {
  /** Between two looks, milliseconds; default 500. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
}

interface Watched<T> {
  readonly read: (signal?: AbortSignal) => Promise<T>;
  /** What has to differ for a status to be a new one: running seconds and costs do not. */
  readonly essence: (status: T) => unknown;
  readonly isLast: (status: T) => boolean;
}

/** Each status that differs from the one before; ends after the last one. */
export async function* watch<T>(
  { read, essence, isLast }: Watched<T>,
  { intervalMs = INTERVAL_MS, signal }: WatchOptions,
): AsyncGenerator<T, void, undefined> {
  let shown: string | undefined;
  let answeredAt = Date.now();
  for (;;) {
    const status = await unlessPassing(() => read(signal), answeredAt);
    if (status !== undefined) {
      answeredAt = Date.now();
      const seen = JSON.stringify(essence(status));
      if (seen !== shown) {
        shown = seen;
        yield status;
      }
      if (isLast(status)) return;
    }
    await delay(intervalMs, undefined, signal && { signal });
  }
}

/** Undefined for a trouble that passes by itself and has not lasted too long. */
async function unlessPassing<T>(read: () => Promise<T>, answeredAt: number): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isPassing(error) || Date.now() - answeredAt > PATIENCE_MS) throw error;
    return undefined;
  }
}

/** Temporal or its worker is away: whoever asks again later may get an answer. */
export function isPassing(error: unknown): boolean {
  return error instanceof DevloopError && (error.code === 'NO_WORKER' || error.code === 'TEMPORAL_UNREACHABLE');
}
