import type { DevloopClient } from '../client/index.js';
import { atOnce } from '../client/internal.js';
import { DevloopError, isErrorCode, type SessionStatus } from '../contract/index.js';
import type { Unanswered } from './listed-schemas.js';

/** Queries at a time: each makes a worker replay a workflow that it has not at hand. */
const AT_ONCE = 16;

export interface SessionsLook {
  readonly sessions: readonly SessionStatus[];
  readonly unanswered: readonly Unanswered[];
}

/**
 * How all running sessions stand, and those that are asked for besides. One that cannot answer, such as one that is stuck on a
 * bad deploy, hides no other.
 * @throws DevloopError `TEMPORAL_UNREACHABLE`; the signal's reason
 */
export async function lookAtSessions(
  client: DevloopClient,
  besides: readonly string[],
  signal: AbortSignal,
): Promise<SessionsLook> {
  const listed = await client.listSessions(signal);
  const names = [...new Set([...listed.map(({ session }) => session), ...besides])];
  const sessions: SessionStatus[] = [];
  const unanswered: Unanswered[] = [];
  await atOnce(AT_ONCE, names, async (name) => {
    try {
      sessions.push(await client.session(name).status(signal));
    } catch (error) {
      unanswered.push(reasonOf(name, error, signal));
    }
  });
  return { sessions, unanswered };
}

function reasonOf(session: string, error: unknown, signal: AbortSignal): Unanswered {
  signal.throwIfAborted();
  const hidden = error instanceof DevloopError && isErrorCode(error.code) && error.code !== 'TEMPORAL_UNREACHABLE';
  if (!hidden) throw error;
  return { session, code: error.code, detail: error.message };
}
