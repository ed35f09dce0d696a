import type { PlannedJob, PlannedSession } from '../world/plan.js';
import type { World } from '../world/world.js';
import type { Excuse } from './rights.js';
import { jobsOf } from './truth.js';

/** Boots, retries and what else comes between a job and its pod. */
const ASIDE_SECONDS = 300;
const LEAST_LIFETIME_SECONDS = 600;
/** Runners whose jobs cannot but fail. */
const UNANSWERED = ['absent', 'forbidden', 'garbled'];
/** So long a job holds its lease for a runner that does not come. */
const ABSENT_RUNNER_SECONDS = 60;

/** Jobs that had the time for their work and failed, although nothing has struck that may cost it. */
export function unanswered(world: World, isExcused: Excuse): string[] {
  const failed = jobsOf(world).filter(({ status }) => status === 'FAILED');
  return failed.flatMap(({ jobId, session, timeoutSeconds, failureType }) => {
    const planned = world.planned(session);
    const job = world.plannedJob(session, jobId);
    if (job?.runner === 'forbidden' && failureType === 'RUNNER_UNAVAILABLE')
      return [`job ${jobId} got a pod for a runner that the operator does not allow`];
    if (!planned || !job || UNANSWERED.some((runner) => job.runner === runner)) return [];
    if (!hasTime(planned, timeoutSeconds) || isExcused(session, 'answer')) return [];
    return [`job ${jobId} failed (${failureType ?? 'nobody knows why'}) although nothing has struck that may cost it`];
  });
}

/** However they wait for each other. */
function hasTime({ input, jobs, holders }: PlannedSession, timeoutSeconds: number): boolean {
  const perJob = jobs.map((job) => holdsSeconds(job));
  const workSeconds = [...perJob, ...holders.map(({ uses }) => uses)].reduce((a, b) => a + b, 0);
  const isLong = (input.maxLifetimeSeconds ?? 0) >= LEAST_LIFETIME_SECONDS + workSeconds;
  return isLong && workSeconds + ASIDE_SECONDS <= timeoutSeconds;
}

/** So long it holds its lease. */
function holdsSeconds({ runs, runner, pauses = 0, timeout }: PlannedJob): number {
  if (runner === 'absent') return ABSENT_RUNNER_SECONDS;
  return Math.min(pauses > 0 ? 2 * runs + pauses : runs, timeout);
}
