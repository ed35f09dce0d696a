import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeWorld, startJob, startSession, withWorkers } from '../support/session-world.js';
import { timeSkippingServer } from '../support/temporal-servers.js';

let env: TestWorkflowEnvironment;

beforeEach(async () => {
  env = await timeSkippingServer();
});

afterEach(async () => {
  await env.teardown();
});

describe('a job that joins a running session', () => {
  it('fails for good when it asks for another model than the session has, naming both', async () => {
    await withWorkers(env, new FakeWorld(), async () => {
      const { name, status, record } = await startSession(env.client, { idleTimeoutSeconds: 30 });
      while ((await status()).phase !== 'ready') await env.sleep('1 second');
      const job = await startJob(env.client, { session: name, input: 'hi', sessionOptions: { model: 'other' } });
      await expect(job.result()).rejects.toMatchObject({
        cause: {
          type: 'SESSION_SPEC_CONFLICT',
          message: expect.stringContaining('model: it has m, asked for other') as string,
        },
      });
      expect((await record()).jobsServed).toBe(0);
    });
  });

  it('is served when it asks for what the session has, whatever its limits say', async () => {
    await withWorkers(env, new FakeWorld(), async () => {
      const { name } = await startSession(env.client, { idleTimeoutSeconds: 30 });
      const sessionOptions = { model: 'm', idleTimeoutSeconds: 7, maxCostUsd: 1 };
      const job = await startJob(env.client, { session: name, input: 'hi', sessionOptions });
      expect((await job.result()).output).toBe('hello');
    });
  });
});
