import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/common';

/** An error as both sides must show it: kinds, types, messages, and what lies beneath; no stacks, no ids. */
export function shown(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? {} : { cause: shown(error.cause) };
  const base = { kind: error.name || error.constructor.name, message: error.message, ...cause };
  if (error instanceof ApplicationFailure)
    return { ...base, type: error.type, nonRetryable: error.nonRetryable === true, details: error.details ?? [] };
  if (error instanceof TimeoutFailure)
    return { ...base, timeout: error.timeoutType, details: error.lastHeartbeatDetails };
  if (error instanceof ActivityFailure) return { ...base, activity: error.activityType, retryState: error.retryState };
  if (error instanceof ChildWorkflowFailure) return { ...base, retryState: error.retryState };
  return base;
}
