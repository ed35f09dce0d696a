import type { DevloopClient } from '../../client/index.js';
import { sessionOptionsSchema } from '../../contract/index.js';
import { lookAtSessions, type SessionsLook } from '../running-sessions.js';
import { killersOf } from './killers.js';
import type { LastJobs } from './last-jobs.js';
import { leaksOf } from './leaks.js';
import type { Overview } from './schemas.js';

const DEFAULTS = sessionOptionsSchema.parse({});

/**
 * All that a person wants to know at once. Without a worker it tells what Temporal itself knows.
 * @param webUi address of Temporal's Web UI
 * @throws DevloopError `TEMPORAL_UNREACHABLE`; the signal's reason
 */
export async function lookAtAll(
  client: DevloopClient,
  lastJobs: LastJobs,
  webUi: string | undefined,
  signal: AbortSignal,
): Promise<Overview> {
  const workerPolls = await client.hasWorker({ signal });
  const [look, jobs, reaper, rounds] = await Promise.all([
    workerPolls ? lookAtSessions(client, [], signal) : listOnly(client, signal),
    lastJobs.look(client, workerPolls, signal),
    client.reaper(signal),
    client.reaperRounds(signal),
  ]);
  const nowMs = Date.now();
  const sessions = look.sessions.filter(({ phase }) => phase !== 'stopped');
  return {
    at: new Date(nowMs).toISOString(),
    workerPolls,
    sessions,
    unanswered: [...look.unanswered],
    jobs,
    leaks: leaksOf(rounds, sessions, nowMs),
    killers: killersOf({ workerPolls, reaper, rounds, nowMs }),
    ...(webUi !== undefined && { webUi: { url: webUi.replace(/\/+$/, ''), namespace: client.namespace } }),
    defaults: DEFAULTS,
  };
}

/** Nobody is there who could answer for a session. */
async function listOnly(client: DevloopClient, signal: AbortSignal): Promise<SessionsLook> {
  const detail = 'no worker is there to answer for it';
  const listed = await client.listSessions(signal);
  return { sessions: [], unanswered: listed.map(({ session }) => ({ session, code: 'NO_WORKER', detail })) };
}
