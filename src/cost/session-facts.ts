import * as z from 'zod';
import type { ClosedSession } from '../client/index.js';
import { ERROR_CODES, jobIdOf, parsePodName, SESSION_PHASES, type SessionRecord } from '../contract/index.js';

const isoTime = z.iso.datetime();

/**
 * What is known of a session's cost. Also a line of the public log, so it names each field: nothing that a person or a program
 * wrote into a prompt, a label or a reason is among them.
 */
export const sessionFactsSchema = z.object({
  /** Of the run that closed; of a session that lives, its first one. */
  runId: z.string(),
  firstRunId: z.string().optional(),
  session: z.string(),
  project: z.string().optional(),
  state: z.enum(['running', 'ended', 'failed', 'cancelled', 'terminated']),
  code: z.enum(ERROR_CODES).optional(),
  startedAt: isoTime,
  endedAt: isoTime,
  phases: z.array(z.object({ phase: z.enum(SESSION_PHASES), seconds: z.number() })),
  pods: z.array(
    z.object({
      id: z.string(),
      gpu: z.string(),
      costPerHourUsd: z.number(),
      createdAt: isoTime,
      readyAt: isoTime.optional(),
      endedAt: isoTime,
      busySeconds: z.number().optional(),
    }),
  ),
  leases: z.array(
    z.object({
      /** Absent: a program outside Temporal held it. */
      jobId: z.string().optional(),
      project: z.string().optional(),
      grantedAt: isoTime,
      seconds: z.number(),
    }),
  ),
  earlierLeases: z.array(z.object({ project: z.string().optional(), leases: z.int(), seconds: z.number() })),
  /** Ended from outside, without a record: what Temporal still had of it. What it cost is not known. */
  unrecorded: z.object({ lastPodId: z.string().optional(), costUsd: z.number().optional() }).optional(),
});
export type SessionFacts = z.output<typeof sessionFactsSchema>;
export type SessionEnd = Pick<SessionFacts, 'runId' | 'state' | 'code'>;

export function factsOf(record: SessionRecord, end: SessionEnd): SessionFacts {
  const { firstRunId = firstRunOf(record), session, project, startedAt, endedAt, phases, earlierLeases = [] } = record;
  return {
    ...end,
    firstRunId,
    session,
    project,
    startedAt,
    endedAt,
    phases,
    pods: record.pods.map(({ id, gpu, costPerHourUsd, createdAt, readyAt, endedAt: podEnd, busySeconds }) => {
      return { id, gpu, costPerHourUsd, createdAt, readyAt, endedAt: podEnd, busySeconds };
    }),
    leases: record.leases.map(({ leaseId, project: of, grantedAt, seconds }) => {
      return { jobId: jobOf(leaseId), project: of, grantedAt, seconds };
    }),
    earlierLeases,
  };
}

/** All that Temporal still has of a session that has closed. */
export function factsOfClosed(closed: ClosedSession): SessionFacts {
  const { record, session, project, runId, state, code, startedAt, endedAt, podId, costUsd } = closed;
  if (record) return factsOf(record, { runId, state, code });
  const known = { runId, state, code, session, project, startedAt, endedAt };
  return { ...known, phases: [], pods: [], leases: [], earlierLeases: [], unrecorded: { lastPodId: podId, costUsd } };
}

/** A session may be known twice: from a log, and from two listings while it ended. The first one counts. */
export function once(sessions: readonly SessionFacts[]): SessionFacts[] {
  const known = new Map<string, SessionFacts>();
  for (const facts of sessions) {
    const key = facts.firstRunId ?? facts.runId;
    if (!known.has(key)) known.set(key, facts);
  }
  return [...known.values()];
}

/** Records did not always name it; the names of their pods do. */
function firstRunOf({ pods }: SessionRecord): string | undefined {
  return pods.map(({ name }) => parsePodName(name)?.firstRunId).find((id) => id !== undefined);
}

/** A job's lease id is its workflow's id and run. */
function jobOf(leaseId: string): string | undefined {
  const job = jobIdOf(leaseId);
  return job?.slice(0, job.lastIndexOf('/'));
}
