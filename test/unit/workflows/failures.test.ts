import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../src/workflows/failures.js';

const inActivity = (cause: Error): ActivityFailure =>
  new ActivityFailure('Activity task failed', 'startPod', '1', RetryState.NON_RETRYABLE_FAILURE, 'worker', cause);

describe('what a failed activity means', () => {
  it('is what its failure says', () => {
    const cause = ApplicationFailure.create({
      type: 'NO_CAPACITY',
      message: 'none',
      nonRetryable: true,
      details: [{ nothingCreated: true }],
    });
    expect(failureOf(inActivity(cause))).toEqual({ code: 'NO_CAPACITY', message: 'none', nothingCreated: true });
    expect(failureOf(cause)).toEqual({ code: 'NO_CAPACITY', message: 'none', nothingCreated: true });
  });

  it('may be that the pod is lost', () => {
    const cause = ApplicationFailure.create({ type: 'POD_LOST', message: 'gone', details: [{ podLost: true }] });
    expect(failureOf(inActivity(cause))).toMatchObject({ code: 'POD_LOST', podLost: true });
  });

  it('has a code of the contract whatever was thrown', () => {
    expect(failureOf(inActivity(ApplicationFailure.create({ type: 'TypeError', message: 'x is undefined' })))).toEqual({
      code: 'AGENT_FAILED',
      message: 'x is undefined',
    });
  });

  it('says what was tried last when the time was over', () => {
    const last = ApplicationFailure.create({ type: 'RUNPOD_UNREACHABLE', message: 'HTTP 503' });
    const timeout = new TimeoutFailure('timed out', undefined, TimeoutType.SCHEDULE_TO_CLOSE);
    expect(failureOf(inActivity(timeout))).toEqual({ code: 'BOOT_FAILED', message: 'out of time' });
    Object.assign(timeout, { cause: last });
    expect(failureOf(inActivity(timeout), 'JOB_TIMEOUT')).toEqual({
      code: 'JOB_TIMEOUT',
      message: 'out of time: HTTP 503',
    });
  });

  it('never ends the workflow, however an activity ended', () => {
    expect(failureOf(inActivity(new CancelledFailure('cancelled by an operator')))).toEqual({
      code: 'BOOT_FAILED',
      message: 'cancelled by an operator',
    });
  });

  it('leaves mistakes of our own what they are: Temporal tries the workflow task again', () => {
    const mistake = new TypeError('x is not a function');
    expect(() => failureOf(mistake)).toThrow(mistake);
  });
});
