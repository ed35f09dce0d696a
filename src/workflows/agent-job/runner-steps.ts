import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { RunnerActivities } from '../../activities/runners.js';
import {
  jsonBytes,
  MAX_JOB_BYTES,
  MAX_PROBLEM_CHARACTERS,
  problemsOf,
  runnerResultSchema,
  TASK_QUEUES,
  wellFormed,
  type Grant,
  type Runner,
  type RunnerAnswer,
  type RunnerInput,
} from '../../contract/index.js';
import { failureOf, type ReadFailure } from '../failures.js';
import { UnreadablePayload } from '../payload-converter.js';
import type { JobState } from './job-state.js';
import { untilRevoked } from './until-revoked.js';

const POD_LOST = 'POD_LOST';
/** So soon the work of a runner that was killed begins anew elsewhere. */
const HEARTBEAT_SECONDS = 20;
/** Of the pod's grace of 120 s without use this is half. */
const START_SECONDS = 60;

/** Before anything is rented. @throws ApplicationFailure with the code of the refusal */
export async function requireAllowed(state: JobState, runner: Runner): Promise<void> {
  const { checkRunner } = proxyActivities<RunnerActivities>({
    taskQueue: TASK_QUEUES.control,
    startToCloseTimeout: '10 seconds',
    scheduleToCloseTimeout: Math.max(1000, state.remainingMs(Date.now())),
    retry: { maximumInterval: '10 seconds' },
    summary: `does the operator allow runners on ${runner.taskQueue}?`,
  });
  try {
    await checkRunner(runner);
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { code, message } = failureOf(error, 'JOB_TIMEOUT');
    throw ApplicationFailure.create({ type: code, message, nonRetryable: true });
  }
}

type RunnerActivity = (given: RunnerInput) => Promise<unknown>;

/** Has the other project's worker do the job, until it answers, fails, or the session takes the lease back. */
export async function runOnRunner(state: JobState, grant: Grant, runner: Runner): Promise<RunnerAnswer | 'revoked'> {
  const { input, project } = state.spec;
  const activities = proxyActivities<Record<'devloopRunner', RunnerActivity>>({
    taskQueue: runner.taskQueue,
    scheduleToCloseTimeout: Math.max(1000, state.remainingMs(Date.now())),
    scheduleToStartTimeout: `${START_SECONDS} seconds`,
    heartbeatTimeout: `${HEARTBEAT_SECONDS} seconds`,
    // A runner may be deaf to a cancel: its job goes on without waiting for its end.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry: {
      initialInterval: '1 second',
      maximumInterval: '20 seconds',
      maximumAttempts: 6,
      // On the same pod there is nothing to try again.
      nonRetryableErrorTypes: [POD_LOST],
    },
    summary: `runner ${runner.activity} on pod ${grant.podId}`,
  });
  const work = activities[runner.activity as 'devloopRunner'];
  const run = await untilRevoked(state, () => work({ lease: grant, input, project }));
  return run === 'revoked' ? run : answerOf(run.value, runner);
}

function answerOf(result: unknown, { activity }: Runner): RunnerAnswer {
  if (result instanceof UnreadablePayload)
    throw invalid(activity, `is encoded as ${result.encoding}; a runner's Temporal client must send plain JSON`);
  const read = runnerResultSchema.safeParse(result);
  if (!read.success)
    throw invalid(activity, `is not {output, messages?, usage?} or a string: ${problemsOf(read.error)}`);
  const bytes = jsonBytes(read.data);
  if (bytes <= MAX_JOB_BYTES) return read.data;
  const message = `the result of ${activity} has ${bytes} bytes; at most ${MAX_JOB_BYTES} are kept`;
  throw ApplicationFailure.create({ type: 'OUTPUT_TOO_LARGE', message, nonRetryable: true });
}

function invalid(activity: string, problem: string): ApplicationFailure {
  const message = `the result of ${activity} ${problem}`;
  return ApplicationFailure.create({ type: 'OUTPUT_INVALID', message, nonRetryable: true });
}

/** What the failure of a runner's activity means. Its own error types are the other project's: only one of them is ours. */
export function runnerFailureOf(error: unknown, runner: Runner): ReadFailure {
  if (!(error instanceof ActivityFailure)) return failureOf(error);
  const { cause } = error;
  const where = `${runner.activity} on task queue ${runner.taskQueue}`;
  if (cause instanceof TimeoutFailure) {
    const startIt = `Start the runner's worker, on the Temporal server and namespace of Devloop's workers.`;
    switch (cause.timeoutType) {
      case 'SCHEDULE_TO_START':
        return unavailable(`nobody took ${where} in time. ${startIt}`);
      case 'HEARTBEAT':
        return unavailable(`${where} gave no heartbeat for ${HEARTBEAT_SECONDS} s, at each try. Let it heartbeat.`);
      default:
        return { ...failureOf(error, 'JOB_TIMEOUT'), podLost: false };
    }
  }
  if (!(cause instanceof ApplicationFailure)) return failureOf(error, 'JOB_TIMEOUT');
  const said = wellFormed(cause.message.slice(0, MAX_PROBLEM_CHARACTERS));
  if (cause.type === POD_LOST) return { code: POD_LOST, message: `${runner.activity}: ${said}`, podLost: true };
  if (cause.type === 'NotFoundError' && said.includes('is not registered on this'))
    return unavailable(`${where} is unknown there: ${said}`);
  return { code: 'AGENT_FAILED', message: `${runner.activity} failed: ${said}` };
}

function unavailable(message: string): ReadFailure {
  return { code: 'RUNNER_UNAVAILABLE', message };
}
