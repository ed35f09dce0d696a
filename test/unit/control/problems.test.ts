import { describe, expect, it } from 'vitest';
import { DevloopError, ERROR_CODES, parseMessage, podSessionInputSchema } from '../../../src/contract/index.js';
import { problemOf, problemSchema, Refusal, STATUS_OF } from '../../../src/control/problems.js';

const problemFrom = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return problemOf(error, 'r1');
  }
  throw new Error('nothing was refused');
};

describe('a problem document', () => {
  it.each(ERROR_CODES)('of %s has a status of an error, a title, the code and the message', (code) => {
    const problem = problemOf(new DevloopError(code, 'because'), 'r1');
    expect(problemSchema.parse(problem)).toEqual(problem);
    expect(problem).toMatchObject({ code, status: STATUS_OF[code], detail: 'because', requestId: 'r1' });
    expect(problem.status).toBeGreaterThanOrEqual(400);
    expect(problem.title).not.toBe('Error');
  });

  it('names every field that is wrong', () => {
    const { errors, detail } = problemFrom(() =>
      parseMessage(podSessionInputSchema, { session: 'A', gpus: [1] }, 'body'),
    );
    expect(errors?.map(({ field }) => field).sort()).toEqual(['gpus.0', 'session']);
    expect(detail).toContain('session: must be 1 to 40 characters');
  });

  it('of a body that is no object says that the value is wrong', () => {
    const { errors } = problemFrom(() => parseMessage(podSessionInputSchema, 7, 'body'));
    expect(errors).toMatchObject([{ field: 'value' }]);
  });

  it('has the status that the refusal says, where that says more than the code', () => {
    expect(problemOf(new Refusal('CONTROL_NO_ROUTE', 'GET only', 405), 'r1')).toMatchObject({
      status: 405,
      title: 'Method Not Allowed',
    });
  });

  it.each([
    [{ statusCode: 413, message: 'big' }, 413, 'INPUT_TOO_LARGE'],
    [{ statusCode: 415, message: 'type' }, 415, 'INVALID_INPUT'],
    [{ statusCode: 400, message: 'json' }, 400, 'INVALID_INPUT'],
    [{ statusCode: 503, message: 'secret place' }, 500, 'UNEXPECTED'],
    [new Error('a password'), 500, 'UNEXPECTED'],
    ['a password', 500, 'UNEXPECTED'],
  ])('of %o is %i %s', (error, status, code) => {
    const problem = problemOf(error, 'r1');
    expect(problem).toMatchObject({ status, code });
    if (code === 'UNEXPECTED') expect(JSON.stringify(problem)).not.toMatch(/password|secret/);
  });
});
