import type { ProtoFailure } from '@temporalio/common';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import type { ScheduleActivity } from '../runtime/commands.js';

/** `temporal.api.enums.v1.RetryState`. */
export const RETRY_STATE = {
  inProgress: 1,
  nonRetryable: 2,
  timeout: 3,
  maximumAttempts: 4,
  cancelRequested: 7,
} as const;
export type RetryState = (typeof RETRY_STATE)[keyof typeof RETRY_STATE];

/** The server's defaults. */
const INITIAL_MS = 1000;
const COEFFICIENT = 2;
const MAXIMUM_FACTOR = 100;

export type RetryDecision =
  | { readonly state: typeof RETRY_STATE.inProgress; readonly afterMs: number }
  | { readonly state: Exclude<RetryState, typeof RETRY_STATE.inProgress> };

export interface FailedAttempt {
  readonly policy: ScheduleActivity['retryPolicy'];
  readonly attempt: number;
  readonly failure: ProtoFailure;
  readonly cancelRequested: boolean;
  readonly nowMs: number;
  /** Schedule-to-close; infinite without one. */
  readonly untilMs: number;
}

/** In the server's own order: a cancel wins over everything, then what the failure says, then the limits. */
export function retryDecision({
  policy,
  attempt,
  failure,
  cancelRequested,
  nowMs,
  untilMs,
}: FailedAttempt): RetryDecision {
  if (cancelRequested) return { state: RETRY_STATE.cancelRequested };
  if (!isRetryable(failure, policy?.nonRetryableErrorTypes ?? [])) return { state: RETRY_STATE.nonRetryable };
  const maximumAttempts = policy?.maximumAttempts ?? 0;
  if (maximumAttempts > 0 && attempt >= maximumAttempts) return { state: RETRY_STATE.maximumAttempts };
  const initialMs = optionalTsToMs(policy?.initialInterval) ?? INITIAL_MS;
  const coefficient = policy?.backoffCoefficient ?? COEFFICIENT;
  const maximumMs = optionalTsToMs(policy?.maximumInterval) ?? initialMs * MAXIMUM_FACTOR;
  const afterMs =
    optionalTsToMs(failure.applicationFailureInfo?.nextRetryDelay) ??
    Math.min(initialMs * coefficient ** (attempt - 1), maximumMs);
  if (nowMs + afterMs >= untilMs) return { state: RETRY_STATE.timeout };
  return { state: RETRY_STATE.inProgress, afterMs };
}

function isRetryable(failure: ProtoFailure, nonRetryableTypes: readonly string[]): boolean {
  const application = failure.applicationFailureInfo;
  if (application) return !application.nonRetryable && !nonRetryableTypes.includes(application.type ?? '');
  return !failure.terminatedFailureInfo && !failure.canceledFailureInfo;
}
