/** What is asked of RunPod's API. */
export type Operation =
  'create-pod' | 'get-pod' | 'list-pods' | 'terminate-pod' | 'pod-logs' | 'pod-billing' | 'list-gpus' | 'get-gpu';

/**
 * What a failed call means for the caller.
 *
 * - `no-capacity`: nothing was created; try the next GPU candidate.
 * - `nothing-created`: the create request provably had no effect; it may be sent again.
 * - `ambiguous`: the create request may have made a pod; list by name before anything else.
 * - `bad-request`: the same request will always fail.
 * - `unauthorized`: the API key is missing or wrong. `not-allowed`: the key is right, but not for this.
 * - `no-money`: the account's balance is too low.
 * - `conflict`: illegal in the pod's present state; read it again.
 * - `rate-limited`: nothing happened; not before `retryAt`.
 * - `gone`: RunPod knows no such thing, or it belongs to somebody else. No proof that a pod ended.
 * - `api-retired`: this version of the API is switched off.
 * - `unavailable`: no usable answer; nothing may be concluded.
 * - `bad-answer`: an answer that cannot be read; nothing may be concluded.
 * - `aborted`: by the caller's signal.
 */
export type RunPodErrorKind =
  | 'no-capacity'
  | 'nothing-created'
  | 'ambiguous'
  | 'bad-request'
  | 'unauthorized'
  | 'not-allowed'
  | 'no-money'
  | 'conflict'
  | 'rate-limited'
  | 'gone'
  | 'api-retired'
  | 'unavailable'
  | 'bad-answer'
  | 'aborted';

export interface RunPodFailure {
  kind: RunPodErrorKind;
  operation: Operation;
  /** A short text for people, without markup, keys or tokens. */
  detail: string;
  status?: number;
  /** RunPod's `x-request-id`, for their support. */
  requestId?: string;
  /** Milliseconds since the epoch; with `rate-limited` only. */
  retryAt?: number;
}

/** The only error that the RunPod client throws. It carries neither headers nor the key, nor a cause that does. */
export class RunPodError extends Error {
  override readonly name = 'RunPodError';
  readonly kind: RunPodErrorKind;
  readonly operation: Operation;
  readonly detail: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAt: number | undefined;

  constructor(failure: RunPodFailure) {
    const facts = [
      failure.status === undefined ? undefined : `HTTP ${failure.status}`,
      failure.requestId === undefined ? undefined : `request ${failure.requestId}`,
    ].filter((fact) => fact !== undefined);
    super(`RunPod ${failure.operation}: ${failure.detail}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`);
    this.kind = failure.kind;
    this.operation = failure.operation;
    this.detail = failure.detail;
    this.status = failure.status;
    this.requestId = failure.requestId;
    this.retryAt = failure.retryAt;
  }
}

export function isRunPodError(error: unknown): error is RunPodError {
  return error instanceof RunPodError;
}

/** After this failure of a create it is certain that no pod came of it. */
export function nothingWasCreated(error: RunPodError): boolean {
  return error.kind !== 'ambiguous';
}

/** The same call may succeed later without anybody changing the request, the key or the account. */
export function mayPass(error: RunPodError): boolean {
  return ['no-capacity', 'nothing-created', 'rate-limited', 'unavailable', 'bad-answer'].includes(error.kind);
}
