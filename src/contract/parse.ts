import * as z from 'zod';
import { DevloopError } from './errors.js';
import { utf8Bytes } from './text.js';

// Workflow code runs in a sandbox and is replayed: no code generation at run time.
z.config({ jitless: true });

/**
 * Parses what came over a border.
 * @param what names the message in the error, such as `PodSession input`
 * @throws DevloopError `INVALID_INPUT` whose message names every wrong field with its cause; caused by the `z.ZodError`
 */
export function parseMessage<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new DevloopError('INVALID_INPUT', `${what}: ${problemsOf(result.error)}`, { cause: result.error });
}

/** Every wrong field with its cause. */
export function problemsOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`).join('; ');
}

/** UTF-8 bytes of a JSON value. */
export function jsonBytes(value: unknown): number {
  return utf8Bytes(JSON.stringify(value));
}
