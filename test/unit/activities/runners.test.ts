import { describe, expect, it } from 'vitest';
import { createRunnerActivities } from '../../../src/activities/runners.js';

const check = (allowed: string[], taskQueue: string) =>
  createRunnerActivities(allowed).checkRunner({ taskQueue, activity: 'devloopRunnerReview' });

describe('the queues of runners', () => {
  it('are those that the operator named, letter by letter', async () => {
    await expect(check(['a', 'reviews'], 'reviews')).resolves.toBeUndefined();
    for (const other of ['Reviews', 'review', 'reviews2', ''])
      await expect(check(['a', 'reviews'], other)).rejects.toMatchObject({
        type: 'RUNNER_NOT_ALLOWED',
        nonRetryable: true,
      });
  });

  it.each([
    [[], /allows none.*DEVLOOP_RUNNER_QUEUES/],
    [['a', 'b'], /allows: a, b.*DEVLOOP_RUNNER_QUEUES/],
  ])('%j: the refusal says what is allowed, and where to allow more', async (allowed, message) => {
    await expect(check(allowed, 'reviews')).rejects.toThrow(message);
  });
});
