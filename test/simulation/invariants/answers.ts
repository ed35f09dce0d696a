import type { PlannedJob, PlannedSession } from '../world/plan.js';
import type { World } from '../world/world.js';
import type { Excuse } from './rights.js';
import { costing, jobsOf, type StruckFault } from './truth.js';

/** Boots, retries and what else comes between a job and its pod. */
const ASIDE_SECONDS = 300;
const LEAST_LIFETIME_SECONDS = 600;
/** Until the model answers, where nothing comes between. */
const BOOT_SECONDS = 25;
/** Runners whose jobs cannot but fail. */
const UNANSWERED = ['absent', 'forbidden', 'garbled'];
/** So long a job holds its lease for a runner that does not come. */
const ABSENT_RUNNER_SECONDS = 60;

/** Jobs that had the time for their work and failed, although nothing has struck that may cost it. */
export function unanswered(world: World, struck: readonly StruckFault[], isExcused: Excuse): string[] {
  const mayRepeat = costing(struck, 'number').length > 0;
  const times = (job: PlannedJob): number => (mayRepeat ? timesBegun(world, job) : 1);
  const failed = jobsOf(world).filter(({ status }) => status === 'FAILED');
  return failed.flatMap(({ jobId, session, timeoutSeconds, failureType }) => {
    const planned = world.planned(session);
    const job = world.plannedJob(session, jobId);
    if (job?.runner === 'forbidden' && failureType === 'RUNNER_UNAVAILABLE')
      return [`job ${jobId} got a pod for a runner that the operator does not allow`];
    if (!planned || !job || UNANSWERED.some((runner) => job.runner === runner)) return [];
    if (!hasTime(planned, timeoutSeconds, times) || isExcused(session, 'answer')) return [];
    if (failureType === 'BOOT_FAILED' && hadNoTimeToBoot(planned, struck)) return [];
    return [`job ${jobId} failed (${failureType ?? 'nobody knows why'}) although nothing has struck that may cost it`];
  });
}

/** As long as nobody of ours can look at a pod nobody knows that it serves, and its time to boot is its own. */
function hadNoTimeToBoot(
  { input: { readyTimeoutSeconds = Infinity } }: PlannedSession,
  struck: readonly StruckFault[],
): boolean {
  return costing(struck, 'boot').some(({ fault: { seconds } }) => seconds + BOOT_SECONDS >= readyTimeoutSeconds);
}

/** However they wait for each other. @param times how often the work of a job was begun */
function hasTime(
  { input, jobs, holders }: PlannedSession,
  timeoutSeconds: number,
  times: (job: PlannedJob) => number,
): boolean {
  const perJob = jobs.map((job) => holdsSeconds(job) * times(job));
  const workSeconds = [...perJob, ...holders.map(({ uses }) => uses)].reduce((a, b) => a + b, 0);
  const isLong = (input.maxLifetimeSeconds ?? 0) >= LEAST_LIFETIME_SECONDS + workSeconds;
  return isLong && workSeconds + ASIDE_SECONDS <= timeoutSeconds;
}

/** Whoever is cut off from its work begins it anew. */
function timesBegun({ cloud }: World, { jobId, pauses = 0 }: PlannedJob): number {
  const questions = [...cloud.machines.values()].reduce((sum, { questions }) => sum + (questions.get(jobId) ?? 0), 0);
  return Math.max(1, Math.ceil(questions / (pauses > 0 ? 2 : 1)));
}

/** So long it holds its lease. */
function holdsSeconds({ runs, runner, pauses = 0, timeout }: PlannedJob): number {
  if (runner === 'absent') return ABSENT_RUNNER_SECONDS;
  return Math.min(pauses > 0 ? 2 * runs + pauses : runs, timeout);
}
