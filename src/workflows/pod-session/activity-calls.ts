import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  sleep,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { PodActivities } from '../../activities/pods.js';
import type { SessionActivities } from '../../activities/sessions.js';
import type {
  CheckPodInput,
  CheckPodResult,
  HolderState,
  PollPodInput,
  PollPodResult,
  StopPodInput,
  StopPodResult,
  WaitingHolder,
} from '../../activities/types.js';
import { TASK_QUEUES } from '../../contract/index.js';
import type { SessionState } from './session-state.js';

/** After this much trying the session says that it is stuck; it goes on trying. */
const STUCK_AFTER = '2 minutes';
const STOP_AGAIN_AFTER = '1 minute';
/** After a boot that failed, its cause is worth waiting for. */
const READ_LOG_MS = 60_000;

const base: ActivityOptions = {
  taskQueue: TASK_QUEUES.control,
  startToCloseTimeout: '10 minutes',
  // A killed worker is noticed after this long.
  heartbeatTimeout: '10 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
};

export const { planSession } = proxyActivities<PodActivities>({
  ...base,
  scheduleToCloseTimeout: '10 minutes',
  summary: 'choose the GPU, fix the deadline',
});
export const { startPod } = proxyActivities<PodActivities>({
  ...base,
  scheduleToCloseTimeout: '30 minutes',
  summary: 'rent the pod, or adopt it',
});

const checkCalls = proxyActivities<PodActivities>({
  ...base,
  scheduleToCloseTimeout: '1 minute',
  summary: 'is the pod lost?',
});

/** What cannot be found out in time is no proof of a loss: deadlines and stops do not wait for RunPod's answer. */
export async function checkPod(input: CheckPodInput): Promise<CheckPodResult> {
  try {
    return await checkCalls.checkPod(input);
  } catch {
    return { verdict: 'alive', detail: 'neither the gate nor RunPod gave an answer' };
  }
}

/**
 * @param bootMs until the boot's own deadline, which the activity keeps by itself and then reads the pod's log; a worker
 *   that comes back later has nothing to poll for
 */
export function pollPod(input: PollPodInput, bootMs: number): Promise<PollPodResult> {
  const withinMs = Math.max(0, bootMs) + READ_LOG_MS;
  const calls = proxyActivities<PodActivities>({
    ...base,
    taskQueue: TASK_QUEUES.poll,
    startToCloseTimeout: withinMs,
    scheduleToCloseTimeout: withinMs,
    summary: `boot ${input.pod.id}: gate, model, warm-up`,
  });
  return calls.pollPod(input);
}

/** Tries until the pods are seen gone: no failure ends this, not even one for good. @param onStuck called when that takes long */
export async function stopPod(input: StopPodInput, onStuck: () => void): Promise<StopPodResult> {
  const summary = `end ${input.podId ?? 'every pod of the session'} and see it gone`;
  const first = proxyActivities<PodActivities>({ ...base, scheduleToCloseTimeout: STUCK_AFTER, summary });
  const further = proxyActivities<PodActivities>({
    ...base,
    startToCloseTimeout: '1 hour',
    summary: `${summary} (stuck)`,
  });
  try {
    return await first.stopPod(input);
  } catch {
    onStuck();
  }
  for (;;) {
    try {
      return await further.stopPod(input);
    } catch {
      await sleep(STOP_AGAIN_AFTER, { summary: 'before the pod is ended again' });
    }
  }
}

const holderCalls = proxyActivities<SessionActivities>({
  taskQueue: TASK_QUEUES.control,
  startToCloseTimeout: '20 seconds',
  retry: { maximumAttempts: 3 },
  summary: 'do the holders still run?',
});

/** An answer that cannot be had is `unknown`. */
export async function describeHolders(holders: readonly WaitingHolder[]): Promise<readonly HolderState[]> {
  try {
    return await holderCalls.describeHolders(holders);
  } catch {
    return holders.map(({ leaseId }) => ({ leaseId, state: 'unknown' }));
  }
}

/**
 * Runs an activity that a stop cuts short. It has ended, whatever the outcome, when this returns.
 * @param graceMs how long it may still end by itself: one that ends tells what it did
 */
export async function unlessStopped<T>(
  state: SessionState,
  work: () => Promise<T>,
  graceMs = 0,
): Promise<T | undefined> {
  if (state.stopRequested) return undefined;
  const scope = new CancellationScope();
  const running = scope.run(work);
  let ended = false;
  const markEnded = (): void => {
    ended = true;
  };
  running.then(markEnded, markEnded);
  await condition(() => ended || state.stopRequested);
  if (!ended && graceMs > 0) await condition(() => ended, graceMs, { summary: 'let it end by itself' });
  if (!ended) scope.cancel();
  try {
    return await running;
  } catch (error) {
    if (state.stopRequested && isCancellation(error)) return undefined;
    throw error;
  }
}
