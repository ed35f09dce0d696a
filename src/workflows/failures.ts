import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { isErrorCode, type ErrorCode } from '../contract/index.js';

/** Detail that an activity adds to its failure. */
export interface FailureDetail {
  /** It is certain that no pod came of it. */
  readonly nothingCreated?: boolean;
  /** The way to the pod failed as it does when the pod is gone. */
  readonly podLost?: boolean;
  /** The host may be at fault: another pod may come up. */
  readonly worthAnotherPod?: boolean;
}

export interface ReadFailure extends FailureDetail {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a failed activity means, whatever it was wrapped in. */
export function failureOf(error: unknown, onTimeout: ErrorCode = 'BOOT_FAILED'): ReadFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const code = isErrorCode(cause.type) ? cause.type : 'AGENT_FAILED';
    return { ...(cause.details?.[0] as FailureDetail | undefined), code, message: cause.message };
  }
  if (cause instanceof TimeoutFailure) {
    const last = cause.cause instanceof ApplicationFailure ? `: ${cause.cause.message}` : '';
    return { code: onTimeout, message: `out of time${last}` };
  }
  // Whatever else ends an activity: rethrown it would end the workflow, and nobody would look after the pod.
  if (error instanceof ActivityFailure) return { code: onTimeout, message: error.cause?.message ?? error.message };
  throw error;
}
