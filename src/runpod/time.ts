import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds since the epoch. Injected, so that a simulation can run in virtual time. */
export type Clock = () => number;

/** Resolves after `ms`; rejects when the signal aborts. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

export const systemClock: Clock = () => Date.now();

export const systemSleep: Sleep = async (ms, signal) => {
  await delay(ms, undefined, { signal });
};

/** How a call under {@link withDeadline} ended: its value, or why there is none. */
export type Deadlined<T> = { type: 'done'; value: T } | { type: 'timed-out' } | { type: 'aborted' };

/**
 * Runs one call under the caller's signal and a limit for the whole of it. Axios' own timeout only watches for a quiet
 * socket and runs on the machine's clock, so a trickling answer or a simulation would never meet it.
 */
export async function withDeadline<T>(
  run: (signal: AbortSignal) => Promise<T>,
  options: { timeoutMs: number; sleep: Sleep; signal?: AbortSignal },
): Promise<Deadlined<T>> {
  const call = new AbortController();
  const alarm = new AbortController();
  const { signal } = options;
  let ended: 'timed-out' | 'aborted' | undefined;
  const end = (why: 'timed-out' | 'aborted') => {
    ended ??= why;
    call.abort();
  };
  const onAbort = () => {
    end('aborted');
  };
  if (signal?.aborted) return { type: 'aborted' };
  signal?.addEventListener('abort', onAbort, { once: true });
  options.sleep(options.timeoutMs, alarm.signal).then(
    () => {
      end('timed-out');
    },
    () => undefined,
  );
  try {
    return { type: 'done', value: await run(call.signal) };
  } catch (error) {
    if (ended !== undefined) return { type: ended };
    throw error;
  } finally {
    alarm.abort();
    signal?.removeEventListener('abort', onAbort);
  }
}
