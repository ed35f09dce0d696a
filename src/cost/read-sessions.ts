import type { DevloopClient } from '../client/index.js';
import { atOnce } from '../client/internal.js';
import { DevloopError } from '../contract/index.js';
import type { KnownSessions } from './report.js';
import { factsOf, factsOfClosed, once, type SessionFacts } from './session-facts.js';

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
  return {
    sessions: once([...closed.map(factsOfClosed), ...live.flatMap(({ facts }) => facts ?? [])]),
    problems: live.flatMap(({ problem }) => problem ?? []),
  };
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
