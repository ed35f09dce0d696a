import { ApplicationFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import { finalFailure, neverFinalFailure, retryableFailure, runPodFailure } from '../../../src/activities/failures.js';
import { isErrorCode } from '../../../src/contract/index.js';
import { RunPodError, type RunPodErrorKind } from '../../../src/runpod/index.js';

const NOW_MS = 1_000_000;
const error = (kind: RunPodErrorKind, retryAt?: number): RunPodError =>
  new RunPodError({
    kind,
    operation: 'list-pods',
    detail: 'the detail',
    ...(retryAt === undefined ? {} : { retryAt }),
  });

/** Every kind of RunPod error with the code that workflows see, and whether trying again is in vain. */
const table: Record<RunPodErrorKind, [code: string, final: boolean]> = {
  'no-capacity': ['NO_CAPACITY', true],
  'nothing-created': ['RUNPOD_UNREACHABLE', false],
  ambiguous: ['RUNPOD_UNREACHABLE', false],
  'bad-request': ['RUNPOD_REFUSED', true],
  unauthorized: ['RUNPOD_UNAUTHORIZED', true],
  'not-allowed': ['RUNPOD_UNAUTHORIZED', true],
  'no-money': ['NO_BALANCE', true],
  conflict: ['RUNPOD_UNREACHABLE', false],
  'rate-limited': ['RUNPOD_UNREACHABLE', false],
  gone: ['RUNPOD_UNREACHABLE', false],
  'api-retired': ['RUNPOD_REFUSED', true],
  unavailable: ['RUNPOD_UNREACHABLE', false],
  'bad-answer': ['RUNPOD_UNREACHABLE', false],
  aborted: ['RUNPOD_UNREACHABLE', false],
};
const kinds = Object.keys(table) as RunPodErrorKind[];

describe.each(kinds)('a RunPod error "%s"', (kind) => {
  const [code, final] = table[kind];

  it(`is ${code}, ${final ? 'for good' : 'tried again'}`, () => {
    const failure = runPodFailure(error(kind), NOW_MS);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect([failure.type, failure.nonRetryable]).toEqual([code, final]);
    expect(isErrorCode(failure.type)).toBe(true);
    expect(failure.message).toContain('the detail');
  });

  it('is never for good while a pod has to be ended', () => {
    const failure = neverFinalFailure(error(kind), NOW_MS);
    expect([failure.type, failure.nonRetryable]).toEqual([code, false]);
  });
});

describe('when RunPod says how long to wait', () => {
  it.each([
    ['an hour', 3_600_000, 3_600_000, 60_000],
    ['ten seconds', 10_000, 10_000, 10_000],
    ['nothing at all: not without a pause', 0, 1000, 1000],
    ['a moment that has passed', -5000, 1000, 1000],
  ])('%s', (_what, waitMs, delayMs, delayOfStopMs) => {
    const limited = error('rate-limited', NOW_MS + waitMs);
    expect(runPodFailure(limited, NOW_MS).nextRetryDelay).toBe(delayMs);
    expect(neverFinalFailure(limited, NOW_MS).nextRetryDelay).toBe(delayOfStopMs);
  });

  it('and when it does not, Temporal decides', () => {
    expect(runPodFailure(error('rate-limited'), NOW_MS).nextRetryDelay).toBeUndefined();
  });
});

describe('the text of a failure', () => {
  // Temporal's SDK ends the whole worker over a message that is no UTF-8, and the next worker over the same one.
  it('never has half a character, which cutting an emoji in two leaves', () => {
    const half = `a log line that was cut: ${'🚀'.slice(0, 1)}`;
    const failures = [
      finalFailure('BOOT_FAILED', half),
      retryableFailure('RUNPOD_UNREACHABLE', half),
      runPodFailure(new RunPodError({ kind: 'no-money', operation: 'create-pod', detail: half }), NOW_MS),
      neverFinalFailure(new RunPodError({ kind: 'unavailable', operation: 'list-pods', detail: half }), NOW_MS),
    ];
    for (const { message, stack = '' } of failures) {
      expect(message).toContain('\ufffd');
      expect([message, stack].map((text) => Buffer.from(text).toString())).toEqual([message, stack]);
    }
  });
});
