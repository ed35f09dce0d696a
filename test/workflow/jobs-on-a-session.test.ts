import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JOB_SIGNALS, type Grant } from '../../src/contract/index.js';
import { FakeWorld, startJob, startSession, until, untilCancelled, withWorkers } from '../support/session-world.js';
import { devServer } from '../support/temporal-servers.js';

let env: TestWorkflowEnvironment;

beforeEach(async () => {
  env = await devServer();
});

afterEach(async () => {
  await env.teardown();
});

describe('jobs on a real server', () => {
  it('waits in the queue, first come, first served, within maxConcurrentLeases', async () => {
    const world = new FakeWorld();
    let running = 0;
    let most = 0;
    world.overrides.runAgent = async ({ grant }) => {
      running += 1;
      most = Math.max(most, running);
      await until(() => most > 1);
      await new Promise((resolve) => setTimeout(resolve, 150));
      running -= 1;
      return { output: grant.leaseId, messages: [], usage: { inputTokens: 1, outputTokens: 1 } };
    };
    await withWorkers(env, world, async () => {
      const sessionOptions = { maxConcurrentLeases: 2, idleTimeoutSeconds: 30 };
      const jobs = await Promise.all(
        Array.from({ length: 6 }, () => startJob(env.client, { session: 'queue', input: 'hi', sessionOptions })),
      );
      const results = await Promise.all(jobs.map((job) => job.result()));
      expect(new Set(results.map(({ output }) => output)).size).toBe(6);
    });
    expect(most).toBe(2);
    expect(world.rented).toHaveLength(1);
  });

  it('gives its lease back when it is cancelled', async () => {
    const world = new FakeWorld();
    world.overrides.runAgent = untilCancelled;
    await withWorkers(env, world, async () => {
      const { name, status, record } = await startSession(env.client, { idleTimeoutSeconds: 20 });
      const job = await startJob(env.client, { session: name, input: 'hi' });
      await until(async () => (await status()).leases.length === 1);
      await job.handle.cancel();
      await expect(job.result()).rejects.toThrow(/cancelled|canceled/i);
      const { leases } = await record();
      expect(leases.map(({ end }) => end)).toEqual(['released']);
    });
  });
});

describe('a job whose lease is taken back and given again', () => {
  it('works again, though the next grant came before its work had stopped', async () => {
    const world = new FakeWorld();
    let runs = 0;
    world.overrides.runAgent = async () => {
      runs += 1;
      if (runs === 1) return untilCancelled();
      return { output: 'on the second grant', messages: [], usage: { inputTokens: 1, outputTokens: 1 } };
    };
    await withWorkers(env, world, async () => {
      const { name, status } = await startSession(env.client, { idleTimeoutSeconds: 30 });
      const job = await startJob(env.client, { session: name, input: 'hi' });
      await until(async () => runs === 1 && (await status()).leases.length === 1);
      const { leases, pod, endpoint = '' } = await status();
      const { leaseId, expiresAt } = leases[0]!;
      const [podId, podName] = [pod!.id, pod!.name];
      // As a session sends them that was reset: one after the other, with nothing between.
      await job.handle.signal(JOB_SIGNALS.leaseRevoked, { leaseId, reason: 'the pod is lost', final: false });
      const grant: Grant = { leaseId, podId, podName, endpoint, api: 'ollama', model: 'm', expiresAt };
      await job.handle.signal(JOB_SIGNALS.leaseGranted, grant);
      expect(await job.result()).toMatchObject({ output: 'on the second grant' });
    });
    expect(runs).toBe(2);
  });
});

describe('a holder that was terminated', () => {
  it('loses its lease when the term is over, and the pod ends', async () => {
    const world = new FakeWorld();
    await withWorkers(env, world, async () => {
      // Some workflow that runs: an idle session is as good a lease holder as any.
      const { handle: holder } = await startSession(env.client, { idleTimeoutSeconds: 600 });
      const { handle, status, record } = await startSession(env.client, { idleTimeoutSeconds: 20 });
      await until(async () => (await status()).phase === 'ready');
      await handle.signal('acquireLease', {
        leaseId: 'dead',
        holder: { kind: 'workflow', workflowId: holder.workflowId },
        ttlSeconds: 10,
      });
      await until(async () => (await status()).leases.length === 1);
      await holder.terminate();
      const { leases, stopReason } = await record();
      expect(leases).toMatchObject([{ end: 'holder-gone', seconds: expect.closeTo(12, -1) as number }]);
      expect(stopReason).toMatch(/^idle for 20 s: dead was the last user/);
    });
    expect(world.calls).toContain('describeHolders');
  });
});
