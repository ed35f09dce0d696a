import type { ClosedSession, DevloopClient } from '../client/index.js';
import { atOnce } from '../client/internal.js';
import { DevloopError } from '../contract/index.js';
import type { KnownSessions } from './report.js';
import { factsOf, type SessionFacts } from './session-facts.js';

/** Queries at a time: each makes a worker replay a workflow that it has not at hand. */
const AT_ONCE = 16;

interface Look {
  readonly facts?: SessionFacts;
  readonly problem?: string;
}

/**
 * What Temporal knows of the sessions that have closed since a moment, and of those that run. One that cannot be read hides
 * no other: it is a problem of the answer.
 * @throws DevloopError `TEMPORAL_UNREACHABLE`; the signal's reason
 */
export async function readSessions(client: DevloopClient, since: Date, signal: AbortSignal): Promise<KnownSessions> {
  const [running, closed, hasWorker] = await Promise.all([
    client.listSessions(signal),
    client.listClosedSessions({ since, signal }),
    client.hasWorker({ signal }),
  ]);
  const live = await atOnce(AT_ONCE, running, ({ session }) => lookAt(client, session, hasWorker, signal));
  const looks = [...closed.map(lookAtClosed), ...live];
  return {
    sessions: once(looks.flatMap(({ facts }) => facts ?? [])),
    problems: looks.flatMap(({ problem }) => problem ?? []),
  };
}

export function lookAtClosed(closed: ClosedSession): Look {
  const { record, session, runId, state, code, podId, costUsd, startedAt, endedAt } = closed;
  if (record) return { facts: factsOf(record, { runId, state, code }) };
  const pod = podId === undefined ? 'no pod that is known' : `last pod ${podId}`;
  const cost = costUsd === undefined ? 'its cost is not in the figures' : `$${costUsd} of it are not in the figures`;
  const problem = `session "${session}" (${startedAt} to ${endedAt}) was ${state} without a record: ${pod}, ${cost}`;
  return { problem };
}

async function lookAt(client: DevloopClient, session: string, hasWorker: boolean, signal: AbortSignal): Promise<Look> {
  const unknown = (why: string): Look => ({
    problem: `the cost of session "${session}", which runs, is not in the figures: ${why}`,
  });
  if (!hasWorker) return unknown('no worker polls Temporal, so it cannot be asked');
  try {
    const handle = client.session(session);
    const soFar = await handle.recordSoFar(signal);
    // It may have ended since it was listed.
    const record = soFar ?? (await handle.record(signal));
    return { facts: factsOf(record, { runId: record.firstRunId ?? session, state: soFar ? 'running' : 'ended' }) };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof DevloopError)) throw error;
    return unknown(error.message);
  }
}

/** A session that ended while it was looked at is in both listings. */
export function once(sessions: readonly SessionFacts[]): SessionFacts[] {
  const known = new Map<string, SessionFacts>();
  for (const facts of sessions) {
    const key = facts.firstRunId ?? facts.runId;
    if (!known.has(key)) known.set(key, facts);
  }
  return [...known.values()];
}
