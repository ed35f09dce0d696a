import { runInNewContext } from 'node:vm';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { OutputSchema } from '../contract/index.js';
import { AgentFault } from './faults.js';

/**
 * A schema comes from whoever sends jobs: one that takes for ever must not stop the worker. Milliseconds by the clock, which
 * runs while others have the processor too; well within a heartbeat's 10 s.
 */
const MAX_CHECK_MS = 3000;

/**
 * Compiles a schema by the rules of JSON Schema 2020-12, whatever `$schema` it names. Formats are not checked.
 * @returns what is wrong with an answer's text; undefined when it is JSON of that schema
 * @throws AgentFault `INVALID_INPUT`, non-retryable, for a schema that is none; so does the check for one that is too slow
 */
export function outputCheck(outputSchema: OutputSchema): (text: string) => string | undefined {
  // Ajv's own: with it a check is a promise, which is true.
  const schema = { ...outputSchema, $async: false };
  if ('$schema' in schema) delete schema.$schema;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });
  const validate = inTime(() => {
    try {
      return ajv.compile(schema);
    } catch (error) {
      throw invalidSchema(error instanceof Error ? error.message : String(error));
    }
  });
  return (text) => {
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch (error) {
      return `it is not JSON (${error instanceof Error ? error.message : String(error)})`;
    }
    const isValid = inTime(() => validate(answer));
    return isValid ? undefined : ajv.errorsText(validate.errors, { dataVar: 'answer' });
  };
}

/** Node can interrupt code that does not yield only where it entered it itself. */
function inTime<T>(work: () => T): T {
  try {
    return runInNewContext('work()', { work }, { timeout: MAX_CHECK_MS }) as T;
  } catch (error) {
    if (error instanceof AgentFault) throw error;
    // An error of the other context, which is no Error of this one.
    const isLate = (error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    throw invalidSchema(isLate ? `checking takes longer than ${MAX_CHECK_MS} ms` : 'it cannot be checked');
  }
}

function invalidSchema(why: string): AgentFault {
  return new AgentFault('non-retryable', 'INVALID_INPUT', `outputSchema: ${why}`);
}
