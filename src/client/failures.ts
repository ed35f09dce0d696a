import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  isGrpcServiceError,
  NamespaceNotFoundError,
  TerminatedFailure,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { DevloopError, isErrorCode, type ErrorCode } from '../contract/index.js';

/** What a failure means that carries no code of its own. */
export interface FailureMeaning {
  /** `session "train"` or `job 3f2a`. */
  readonly subject: string;
  readonly notFound: ErrorCode;
  readonly failed: ErrorCode;
  readonly cancelled: ErrorCode;
}

export function meaningOfJob(jobId: string): FailureMeaning {
  return {
    subject: `job ${jobId}`,
    notFound: 'JOB_NOT_FOUND',
    failed: 'AGENT_FAILED',
    cancelled: 'JOB_CANCELLED',
  };
}

export function meaningOfSession(session: string): FailureMeaning {
  return {
    subject: `session "${session}"`,
    notFound: 'SESSION_NOT_FOUND',
    failed: 'SESSION_FAILED',
    cancelled: 'SESSION_FAILED',
  };
}

/** gRPC status codes (grpc/grpc, statuscodes.md) that this client tells apart. */
const GRPC = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The error for "nobody polls the task queue": the same words wherever it is noticed. */
export function noWorkerError(address: string): DevloopError {
  return new DevloopError(
    'NO_WORKER',
    `no worker polls Devloop's task queue at ${address}, so nothing would happen. Start one there: devloop worker`,
  );
}

/**
 * Every error of a Temporal call as one with the contract's code.
 * @param address is named in the message of connection problems
 */
export function toDevloopError(error: unknown, address: string, meaning: FailureMeaning): DevloopError {
  if (error instanceof DevloopError) return error;
  if (error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError)
    return fromWorkflowFailure(error, meaning);
  if (error instanceof WorkflowNotFoundError) {
    return new DevloopError(meaning.notFound, `${meaning.subject} does not exist`, { cause: error });
  }
  return fromService(error, address);
}

/** A connection problem, or an error that nobody expected, as one with the contract's code. */
export function fromService(error: unknown, address: string): DevloopError {
  if (error instanceof DevloopError) return error;
  if (error instanceof NamespaceNotFoundError) {
    return new DevloopError(
      'CONFIG_INVALID',
      `Temporal at ${address} has no namespace "${error.namespace}". Set TEMPORAL_NAMESPACE to one that exists.`,
      { cause: error },
    );
  }
  const grpc = grpcError(error);
  const details = grpc?.details ?? messageOf(error);
  switch (grpc?.code) {
    case GRPC.unauthenticated:
    case GRPC.permissionDenied:
      return new DevloopError(
        'CONFIG_INVALID',
        `Temporal at ${address} refused the credentials (${details}). Check TEMPORAL_API_KEY, TEMPORAL_NAMESPACE and the TEMPORAL_TLS_* settings.`,
        { cause: error },
      );
    case GRPC.failedPrecondition:
      if (/no poller/i.test(details)) return noWorkerError(address);
      break;
    case GRPC.invalidArgument:
      if (/search attribute/i.test(details)) {
        return new DevloopError(
          'CONFIG_INVALID',
          `Temporal at ${address} does not know Devloop's search attributes (${details}). A worker registers them when it starts: devloop worker`,
          { cause: error },
        );
      }
      break;
  }
  return new DevloopError('TEMPORAL_UNREACHABLE', `Temporal at ${address} does not answer: ${details}`, {
    cause: error,
  });
}

/** A query that ran into its deadline: Temporal answered others, so nobody was there to run the workflow's code. */
export function isDeadline(error: unknown): boolean {
  return grpcError(error)?.code === GRPC.deadlineExceeded;
}

function fromWorkflowFailure(
  error: WorkflowFailedError | WorkflowUpdateFailedError,
  meaning: FailureMeaning,
): DevloopError {
  let deepest: Error = error;
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
      return new DevloopError(cause.type, cause.message, { cause: error });
    }
    if (cause instanceof CancelledFailure) {
      return new DevloopError(meaning.cancelled, `${meaning.subject} was cancelled`, { cause: error });
    }
    if (cause instanceof TerminatedFailure) {
      return new DevloopError(meaning.failed, `${meaning.subject} was terminated: ${cause.message}`, { cause: error });
    }
    if (!(cause instanceof ActivityFailure)) deepest = cause;
  }
  return new DevloopError(meaning.failed, `${meaning.subject} failed: ${deepest.message}`, { cause: error });
}

function grpcError(error: unknown): { code: number; details: string } | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (isGrpcServiceError(current)) return current;
  }
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
