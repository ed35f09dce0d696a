/** Stable codes: programs may branch on them, people may search for them. The meaning of a code never changes. */
export const ERROR_CODES = [
  /** Input of a workflow, signal or command breaks the contract; the message names the field. */
  'INVALID_INPUT',
  'INPUT_TOO_LARGE',
  'OUTPUT_TOO_LARGE',
  'GPU_UNKNOWN',
  /** The session of that name runs with another GPU, model, API or image than was asked for; both are named. */
  'SESSION_SPEC_CONFLICT',
  /** No candidate GPU is within `maxPriceUsdPerHour`. */
  'PRICE_LIMIT',
  'NO_CAPACITY',
  'NO_BALANCE',
  /** The operator's cap on the account's pods, or on what they cost an hour, leaves no room for another pod. */
  'ACCOUNT_CAP',
  /** RunPod refused the account's key. */
  'RUNPOD_UNAUTHORIZED',
  /** RunPod says that our request is wrong. */
  'RUNPOD_REFUSED',
  'RUNPOD_UNREACHABLE',
  /** The pod was not usable within its ready timeout; carries the pod's last log lines. */
  'BOOT_FAILED',
  'POD_LOST',
  /** RunPod took the order to end a pod and still shows it. */
  'POD_STUCK',
  /** The pod's gate refused our token: a matter of secrets, never of the pod. */
  'GATE_UNAUTHORIZED',
  'MODEL_NOT_SERVED',
  'MODEL_CANNOT_CALL_TOOLS',
  'AGENT_UNKNOWN',
  'AGENT_FAILED',
  'AGENT_LIMIT',
  /** An agent or a runner gave something else than it was asked for; the message names what is wrong. */
  'OUTPUT_INVALID',
  /** The operator's workers do not allow the task queue of the job's runner. */
  'RUNNER_NOT_ALLOWED',
  /** Nobody runs the runner's activity, or whoever did stopped giving signs of life. */
  'RUNNER_UNAVAILABLE',
  /** The session ended, or was asked to end, before the job was done. */
  'LEASE_REVOKED',
  /** No lease within the job's time. */
  'LEASE_TIMEOUT',
  'JOB_TIMEOUT',
  'JOB_CANCELLED',
  /** The session's workflow itself failed or was terminated from outside; its pod is the other killers' to end. */
  'SESSION_FAILED',
  'SESSION_NOT_FOUND',
  'JOB_NOT_FOUND',
  'TEMPORAL_UNREACHABLE',
  /** Nobody polls the task queue, so nothing would happen. */
  'NO_WORKER',
  'CONFIG_INVALID',
  /** A program that this machine needs was not found and could not be fetched. */
  'PREREQUISITE_MISSING',
  'STACK_FAILED',
  /** The control API was given no token, or a wrong one. */
  'CONTROL_UNAUTHORIZED',
  /** A request to the control API under a foreign host name, or of a page of another origin. */
  'CONTROL_FORBIDDEN',
  'CONTROL_NO_ROUTE',
  /** The control API ends, or serves as many waiting requests or streams as it may. */
  'CONTROL_BUSY',
  /** A mistake of ours; the log of the program that says it tells more. */
  'UNEXPECTED',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export function isErrorCode(value: unknown): value is ErrorCode {
  return (ERROR_CODES as readonly unknown[]).includes(value);
}

/** The one error class with a code. Crossing Temporal, `code` becomes the ApplicationFailure's `type`. */
export class DevloopError extends Error {
  override readonly name = 'DevloopError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
