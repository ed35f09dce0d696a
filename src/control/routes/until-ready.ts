import type { SessionHandle } from '../../client/index.js';
import { DevloopError, type SessionStatus } from '../../contract/index.js';
import type { Answer } from '../operation.js';
import { Refusal } from '../problems.js';

/**
 * Waits until a session is ready or has ended. The session goes on when the asker does not.
 * @throws DevloopError the code of a session that failed before it was ready; the signal's reason
 */
export async function untilReady(session: SessionHandle, timeoutSeconds: number, signal: AbortSignal): Promise<Answer> {
  const watching = new AbortController();
  const giveUp = (): void => {
    watching.abort(signal.reason);
  };
  signal.addEventListener('abort', giveUp, { once: true });
  const timer = setTimeout(giveUp, timeoutSeconds * 1000);
  let last: SessionStatus | undefined;
  try {
    for await (const now of session.watch({ signal: watching.signal })) {
      last = now;
      if (now.phase === 'ready') return { status: 200, body: now };
    }
    // One that failed says so here.
    await session.result(signal);
  } catch (error) {
    const timeIsUp = watching.signal.aborted && !signal.aborted;
    if (!timeIsUp) throw signal.aborted ? signal.reason : failureOf(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
  const body = last ?? (await session.status(signal));
  return { status: body.phase === 'stopped' ? 200 : 202, body };
}

/** What only the catalog could tell of the input, such as a budget that buys nothing: the request itself was right. */
function failureOf(error: unknown): unknown {
  const isLate = error instanceof DevloopError && error.code === 'INVALID_INPUT';
  return isLate ? new Refusal(error.code, error.message, 422) : error;
}
