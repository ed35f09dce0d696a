import { heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_JOB_BYTES, type RunnerInput } from '../../src/contract/index.js';
import { waitUntil } from '../support/processes.js';
import { FakeWorld, RUNNER_QUEUE, startJob, startSession, withRunner, withWorkers } from '../support/session-world.js';
import { devServer, timeSkippingServer } from '../support/temporal-servers.js';

const ACTIVITY = 'devloopRunnerReview';
const runner = { taskQueue: RUNNER_QUEUE, activity: ACTIVITY };

let env: TestWorkflowEnvironment;
let world: FakeWorld;

beforeEach(() => {
  world = new FakeWorld();
});
afterEach(() => env.teardown());

/** A job for a runner that works so, on a session of its own; the record of that session shows what became of the lease. */
async function jobFor(
  work: (given: RunnerInput, attempt: number) => Promise<unknown>,
  options: Parameters<typeof withRunner>[3] = {},
) {
  let attempts = 0;
  const activity = (given: RunnerInput): Promise<unknown> => work(given, (attempts += 1));
  return withWorkers(env, world, () =>
    withRunner(
      env,
      { [ACTIVITY]: activity },
      async () => {
        const { name, record } = await startSession(env.client, { idleTimeoutSeconds: 5 });
        const job = await startJob(env.client, { session: name, input: 'hi', project: 'demo', runner });
        const outcome = await job.result().then(
          (result) => ({ result, failure: undefined }),
          (error: Error) => ({ result: undefined, failure: error.cause }),
        );
        return { ...outcome, attempts, leases: (await record()).leases };
      },
      options,
    ),
  );
}

describe('a runner, in virtual time', () => {
  beforeEach(async () => {
    env = await timeSkippingServer();
  });

  it('whose worker has other activities only is as good as none', async () => {
    await withWorkers(env, world, () =>
      withRunner(env, { devloopRunnerOther: async () => 'no' }, async () => {
        const job = await startJob(env.client, { input: 'hi', runner });
        await expect(job.result()).rejects.toMatchObject({
          cause: {
            type: 'RUNNER_UNAVAILABLE',
            message: expect.stringMatching(/devloopRunnerReview.*devloopRunnerOther/) as string,
          },
        });
      }),
    );
  });

  it('that fails once is tried again on the same lease', async () => {
    const { result, attempts, leases } = await jobFor(async ({ lease }, attempt) => {
      if (attempt === 1) throw new Error('a hiccup');
      return { output: lease.leaseId, usage: { inputTokens: 3, outputTokens: null }, more: 'is ignored' };
    });
    expect(result).toMatchObject({ messages: [], usage: { inputTokens: 3, outputTokens: 0 } });
    expect([attempts, leases.length, world.rented.length]).toEqual([2, 1, 1]);
    expect(leases[0]?.leaseId).toBe(result?.output);
  });

  it.each([
    ['RESOURCE_MISSING', 'no such file'],
    // Only one error type of a runner is ours.
    ['NO_BALANCE', 'my own purse is empty'],
  ])('that fails for good with %s fails the job with its message', async (type, message) => {
    const { failure, attempts, leases } = await jobFor(async () => {
      throw ApplicationFailure.nonRetryable(message, type);
    });
    expect(failure).toMatchObject({ type: 'AGENT_FAILED', message: `${ACTIVITY} failed: ${message}` });
    expect(attempts).toBe(1);
    expect(leases).toMatchObject([{ end: 'released' }]);
  });

  it.each([
    ['no output', { answer: 42 }, 'OUTPUT_INVALID', /devloopRunnerReview.*output: must be a string/],
    ['messages of another kind', { output: 'x', messages: ['hi'] }, 'OUTPUT_INVALID', /messages\.0/],
    ['nothing', undefined, 'OUTPUT_INVALID', /is not \{output/],
    ['too much', 'x'.repeat(MAX_JOB_BYTES), 'OUTPUT_TOO_LARGE', /devloopRunnerReview has 2\d+ bytes/],
  ])('that answers with %s fails the job', async (_what, answer, type, message) => {
    const { failure } = await jobFor(async () => answer);
    expect(failure).toMatchObject({ type, message: expect.stringMatching(message) as string });
  });

  it('whose answer is encrypted fails the job, and does not leave it hanging with its lease', async () => {
    const { failure, leases } = await jobFor(async () => 'secret', {
      dataConverter: {
        payloadCodecs: [
          {
            encode: async (payloads) =>
              payloads.map((payload) => ({
                ...payload,
                metadata: { encoding: new TextEncoder().encode('binary/odd') },
              })),
            decode: async (payloads) => payloads,
          },
        ],
      },
    });
    expect(failure).toMatchObject({ type: 'OUTPUT_INVALID', message: expect.stringContaining('binary/odd') as string });
    expect(leases).toMatchObject([{ end: 'released' }]);
  });
});

describe('a runner, in real time', () => {
  beforeEach(async () => {
    env = await devServer();
  });

  it('that is deaf to a cancel does not keep its job, when the session takes the lease back', async () => {
    let isOver = false;
    const deaf = async (): Promise<void> => {
      while (!isOver) {
        heartbeat();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    await withWorkers(env, world, () =>
      withRunner(env, { [ACTIVITY]: deaf }, async () => {
        const { name, handle, status } = await startSession(env.client, { drainSeconds: 0 });
        const job = await startJob(env.client, { session: name, input: 'hi', runner });
        await waitUntil(async () => (await status()).leases.length === 1, { what: 'a lease' });
        await handle.signal('stop', { reason: 'lunch' });
        await expect(job.result()).rejects.toMatchObject({ cause: { type: 'LEASE_REVOKED' } });
        isOver = true;
      }),
    );
  });
});
