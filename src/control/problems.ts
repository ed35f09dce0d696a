import { STATUS_CODES } from 'node:http';
import * as z from 'zod';
import { DevloopError, ERROR_CODES, type ErrorCode } from '../contract/index.js';

export const PROBLEM_TYPE = 'application/problem+json';

/** The HTTP status of each code: 4xx where the asker can do something about it, 5xx where only others can. */
export const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  INVALID_INPUT: 400,
  CONTROL_UNAUTHORIZED: 401,
  NO_BALANCE: 402,
  CONTROL_FORBIDDEN: 403,
  RUNNER_NOT_ALLOWED: 403,
  SESSION_NOT_FOUND: 404,
  JOB_NOT_FOUND: 404,
  CONTROL_NO_ROUTE: 404,
  SESSION_SPEC_CONFLICT: 409,
  ACCOUNT_CAP: 409,
  LEASE_REVOKED: 409,
  JOB_CANCELLED: 409,
  INPUT_TOO_LARGE: 413,
  GPU_UNKNOWN: 422,
  PRICE_LIMIT: 422,
  MODEL_NOT_SERVED: 422,
  MODEL_CANNOT_CALL_TOOLS: 422,
  AGENT_UNKNOWN: 422,
  RUNPOD_REFUSED: 422,
  CONFIG_INVALID: 500,
  PREREQUISITE_MISSING: 500,
  STACK_FAILED: 500,
  UNEXPECTED: 500,
  OUTPUT_TOO_LARGE: 502,
  OUTPUT_INVALID: 502,
  RUNPOD_UNAUTHORIZED: 502,
  RUNPOD_UNREACHABLE: 502,
  BOOT_FAILED: 502,
  POD_LOST: 502,
  POD_STUCK: 502,
  GATE_UNAUTHORIZED: 502,
  AGENT_FAILED: 502,
  AGENT_LIMIT: 502,
  SESSION_FAILED: 502,
  NO_CAPACITY: 503,
  TEMPORAL_UNREACHABLE: 503,
  NO_WORKER: 503,
  RUNNER_UNAVAILABLE: 503,
  CONTROL_BUSY: 503,
  LEASE_TIMEOUT: 504,
  JOB_TIMEOUT: 504,
};

/** RFC 9457, with our code in place of a type's address. */
export const problemSchema = z.object({
  title: z.string(),
  status: z.int(),
  code: z.enum(ERROR_CODES),
  /** The cause and the way out. */
  detail: z.string(),
  /** As in the header `x-request-id` and in the log. */
  requestId: z.string(),
  /** Where input is wrong, such as `gpus.0`. */
  errors: z.array(z.object({ field: z.string(), detail: z.string() })).optional(),
});
export type Problem = z.output<typeof problemSchema>;

/** A refusal whose status says more than its code does. */
export class Refusal extends DevloopError {
  constructor(
    code: ErrorCode,
    message: string,
    readonly status: number = STATUS_OF[code],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(code, message);
  }
}

/** Any error as the problem that the asker may read. What nobody expected says nothing of our insides. */
export function problemOf(error: unknown, requestId: string): Problem {
  const known = error instanceof DevloopError ? error : fromFramework(error);
  const status = known instanceof Refusal ? known.status : STATUS_OF[known.code];
  return {
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code: known.code,
    detail: known.message,
    requestId,
    ...(known.cause instanceof z.ZodError && { errors: wrongFields(known.cause) }),
  };
}

function wrongFields({ issues }: z.ZodError): Problem['errors'] {
  return issues.map(({ path, message }) => ({ field: path.join('.') || 'value', detail: message }));
}

/** Fastify refuses what is no JSON, of another type, or too large before we see it. */
function fromFramework(error: unknown): DevloopError {
  const { statusCode: status = 500, message = '' } = error as { statusCode?: number; message?: string };
  if (status === 413) return new Refusal('INPUT_TOO_LARGE', 'the body is larger than this route takes');
  if (status >= 400 && status < 500) return new Refusal('INVALID_INPUT', message, status);
  return new Refusal('UNEXPECTED', 'an error that nobody expected; the log has it under this request id');
}
