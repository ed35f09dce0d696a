import type { ZodType } from 'zod';
import { DevloopError, jobIdSchema, sessionNameSchema } from '../contract/index.js';

/** @throws DevloopError `INVALID_INPUT` */
export function checkSessionName(name: string): void {
  check(sessionNameSchema, name, 'session name');
}

/** @throws DevloopError `INVALID_INPUT` */
export function checkJobId(jobId: string): void {
  check(jobIdSchema, jobId, 'job id');
}

function check(schema: ZodType, value: string, what: string): void {
  const result = schema.safeParse(value);
  if (result.success) return;
  const cause = result.error.issues.map(({ message }) => message).join('; ');
  throw new DevloopError('INVALID_INPUT', `${what} "${value}": ${cause}`);
}
