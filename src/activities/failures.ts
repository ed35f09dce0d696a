import { ApplicationFailure, CancelledFailure, cancellationSignal } from '@temporalio/activity';
import { isWellFormed, wellFormed, type ErrorCode } from '../contract/index.js';
import { isRunPodError, type RunPodError } from '../runpod/index.js';

const LONGEST_WAIT_MS = 60_000;

/** Read by the workflows as the failure's first detail. */
export interface FailureDetail {
  /** It is certain that no pod came of it. */
  readonly nothingCreated?: boolean;
  /** The way to the pod failed as it does when the pod is gone. */
  readonly podLost?: boolean;
  /** The host may be at fault: another pod may come up. */
  readonly worthAnotherPod?: boolean;
}

/** Fails for good: the same thing tried again would fail again. */
export function finalFailure(code: ErrorCode, message: string, detail: FailureDetail = {}): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message: wellFormed(message), nonRetryable: true, details: [detail] });
}

/** Fails this attempt; Temporal tries again, after `afterMs` where that is known. */
export function retryableFailure(code: ErrorCode, message: string, afterMs?: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: code,
    message: wellFormed(message),
    ...(afterMs === undefined ? {} : { nextRetryDelay: Math.max(1000, afterMs) }),
  });
}

/** What a RunPod error means for an activity. Says the cause and the way out. */
export function runPodFailure(error: RunPodError, nowMs: number, detail: FailureDetail = {}): ApplicationFailure {
  const { message } = error;
  switch (error.kind) {
    case 'unauthorized':
      return finalFailure('RUNPOD_UNAUTHORIZED', `${message}. Check RUNPOD_API_KEY of the worker.`, detail);
    case 'not-allowed': {
      const wayOut = 'The key of the worker needs read and write access to pods.';
      return finalFailure('RUNPOD_UNAUTHORIZED', `${message}. ${wayOut}`, detail);
    }
    case 'no-money':
      return finalFailure('NO_BALANCE', `${message}. Add credit to the RunPod account.`, detail);
    case 'no-capacity':
      return finalFailure('NO_CAPACITY', message, detail);
    case 'bad-request':
    case 'api-retired':
      return finalFailure('RUNPOD_REFUSED', message, detail);
    case 'rate-limited':
      return retryableFailure(
        'RUNPOD_UNREACHABLE',
        message,
        error.retryAt === undefined ? undefined : error.retryAt - nowMs,
      );
    default:
      return retryableFailure('RUNPOD_UNREACHABLE', message);
  }
}

/**
 * The same for what has to be tried for ever while a pod bills: a key that is refused now may be accepted later, and
 * RunPod's own "not before" is heeded for a minute at most.
 */
export function neverFinalFailure(error: RunPodError, nowMs: number): ApplicationFailure {
  const { type, message } = runPodFailure(error, nowMs);
  const waitMs = error.retryAt === undefined ? undefined : Math.min(error.retryAt - nowMs, LONGEST_WAIT_MS);
  return retryableFailure(type as ErrorCode, message, waitMs);
}

/** At the border of every activity: only failures that workflows can read leave it, and a cancel leaves as a cancel. */
export async function atBorder<T>(clock: () => number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (cancellationSignal().aborted) throw new CancelledFailure('the activity was cancelled');
    if (isRunPodError(error)) throw runPodFailure(error, clock());
    if (error instanceof Error && !isWellFormed(error.message))
      throw ApplicationFailure.create({ type: error.name, message: wellFormed(error.message) });
    throw error;
  }
}
