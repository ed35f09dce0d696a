import { WorkflowFailedError } from '@temporalio/client';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  NamespaceNotFoundError,
  RetryState,
  TerminatedFailure,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { fromService, isDeadline, toDevloopError, type FailureMeaning } from '../../../src/client/failures.js';

const job: FailureMeaning = {
  subject: 'job 7',
  notFound: 'JOB_NOT_FOUND',
  failed: 'AGENT_FAILED',
  cancelled: 'JOB_CANCELLED',
};

const failedBy = (cause: Error): WorkflowFailedError =>
  new WorkflowFailedError('Workflow execution failed', cause, RetryState.NON_RETRYABLE_FAILURE);

function grpc(code: number, details: string): Error {
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: {} });
}

describe('failures of workflows', () => {
  it.each([
    [
      'a code of the contract',
      ApplicationFailure.create({ type: 'NO_CAPACITY', message: 'none left' }),
      'NO_CAPACITY',
      'none left',
    ],
    [
      'a code under an activity failure',
      new ActivityFailure(
        'Activity task failed',
        'a',
        '1',
        RetryState.MAXIMUM_ATTEMPTS_REACHED,
        'w',
        ApplicationFailure.create({ type: 'POD_LOST', message: 'gone' }),
      ),
      'POD_LOST',
      'gone',
    ],
    [
      'a type that is no code',
      ApplicationFailure.create({ type: 'TypeError', message: 'x is undefined' }),
      'AGENT_FAILED',
      'job 7 failed: x is undefined',
    ],
    ['a cancel', new CancelledFailure('Workflow canceled', []), 'JOB_CANCELLED', 'job 7 was cancelled'],
    ['a terminate', new TerminatedFailure('by hand'), 'AGENT_FAILED', 'job 7 was terminated: by hand'],
  ])('%s', (_what, cause, code, message) => {
    expect(toDevloopError(failedBy(cause), 'here:1', job)).toMatchObject({ code, message });
  });

  it('names what does not exist', () => {
    const error = toDevloopError(new WorkflowNotFoundError('no rows', 'agent-job/7', undefined), 'here:1', job);
    expect(error).toMatchObject({ code: 'JOB_NOT_FOUND', message: 'job 7 does not exist' });
  });
});

describe('failures of the service', () => {
  it.each([
    ['nobody there', grpc(14, 'No connection established'), 'TEMPORAL_UNREACHABLE', 'here:1'],
    ['too slow', grpc(4, 'Deadline exceeded'), 'TEMPORAL_UNREACHABLE', 'here:1'],
    ['wrong key', grpc(7, 'Request unauthorized'), 'CONFIG_INVALID', 'TEMPORAL_API_KEY'],
    ['no worker', grpc(9, 'no poller seen for task queue recently, worker may be down'), 'NO_WORKER', 'devloop worker'],
    [
      'unregistered attribute',
      grpc(3, 'no mapping defined for search attribute DevloopPhase'),
      'CONFIG_INVALID',
      'search attributes',
    ],
    ['unknown namespace', new NamespaceNotFoundError('elsewhere'), 'CONFIG_INVALID', '"elsewhere"'],
  ])('%s', (_what, error, code, part) => {
    const found = fromService(new Error('outer', { cause: error }), 'here:1');
    const direct = fromService(error, 'here:1');
    expect(direct.code).toBe(code);
    expect(direct.message).toContain(part);
    if (!(error instanceof NamespaceNotFoundError)) expect(found.code).toBe(code);
  });

  it('tells a deadline from other silence, however deep it is', () => {
    expect(isDeadline(new Error('outer', { cause: grpc(4, 'Deadline exceeded') }))).toBe(true);
    expect(isDeadline(grpc(14, 'gone'))).toBe(false);
  });
});
