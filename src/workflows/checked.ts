import { ApplicationFailure, log } from '@temporalio/workflow';
import type * as z from 'zod';
import { DevloopError, parseMessage } from '../contract/index.js';

/** What our own code refuses, as a failure that callers can read: the code is its type. */
export function orFailure<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DevloopError)) throw error;
    throw ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: true });
  }
}

/** Input of a workflow: wrong input fails the workflow at once, with the code as the failure's type. */
export function checkedInput<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  return orFailure(() => parseMessage(schema, value, what));
}

/**
 * A handler for a signal from any program. A signal has no answer and a throwing handler would stop the workflow,
 * so a malformed one is dropped with a warning in the worker's log.
 */
export function checkedSignal<T extends z.ZodType>(
  schema: T,
  handle: (message: z.output<T>) => void,
): (message?: unknown) => void {
  return (message) => {
    const parsed = schema.safeParse(message ?? {});
    if (parsed.success) handle(parsed.data);
    else
      log.warn('a malformed signal was dropped', {
        problems: parsed.error.issues.map(({ path, message: text }) => `${path.join('.')}: ${text}`),
      });
  };
}
