import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StopPodInput } from '../../src/activities/types.js';
import {
  FakeWorld,
  finalFailure,
  startJob,
  startSession,
  until,
  untilCancelled,
  withWorkers,
} from '../support/session-world.js';
import { timeSkippingServer } from '../support/temporal-servers.js';

let env: TestWorkflowEnvironment;

beforeEach(async () => {
  env = await timeSkippingServer();
});

afterEach(async () => {
  await env.teardown();
});

describe('a session whose jobs are gone before it has a pod', () => {
  it.each([undefined, true])('looks for one when an earlier create may have made it (%s)', async (mayHaveMore) => {
    const world = new FakeWorld();
    world.overrides.startPod = async () => ({ goneLeaseIds: [], mayHaveMore });
    await withWorkers(env, world, async () => {
      const { record } = await startSession(env.client, { startedBy: 'agent-job/1' });
      expect((await record()).stopReason).toBe('every job that waited for it is gone');
    });
    expect(world.stopped).toBe(mayHaveMore ? 1 : 0);
  });
});

describe('a session nobody uses', () => {
  it('ends after its idle time and shows the whole way in its record', async () => {
    const world = new FakeWorld();
    await withWorkers(env, world, async () => {
      const { record } = await startSession(env.client, { idleTimeoutSeconds: 480 });
      const { phases, stopReason, jobsServed, unsettled } = await record();
      expect(phases.map(({ phase }) => phase)).toEqual(['creating', 'booting', 'ready', 'stopping']);
      expect(phases[2]?.seconds).toBeGreaterThanOrEqual(480);
      expect(phases[2]?.seconds).toBeLessThan(540);
      expect(stopReason).toMatch(/^idle for 480 s: nobody used it/);
      expect({ jobsServed, unsettled }).toEqual({ jobsServed: 0, unsettled: [] });
    });
    expect(world.calls).toEqual(['planSession', 'startPod', 'pollPod', 'stopPod']);
  });

  it('names its pod after owner, session, first run, attempt and hard deadline', async () => {
    const world = new FakeWorld();
    await withWorkers(env, world, async () => {
      const { name, handle, status, record } = await startSession(env.client, { idleTimeoutSeconds: 5 });
      await record();
      const deadlineSeconds = Math.floor(Date.parse((await status()).hardDeadline) / 1000);
      const { firstExecutionRunId } = handle as unknown as { firstExecutionRunId: string };
      expect(world.rented).toEqual([`devloop.test-00000000.${name}.${firstExecutionRunId}.1.${deadlineSeconds}`]);
    });
  });
});

describe('a job', () => {
  it('starts the session it needs, gets its answer, and pushes the idle deadline back', async () => {
    const world = new FakeWorld();
    await withWorkers(env, world, async () => {
      const session = 'job-starts-it';
      const job = await startJob(env.client, { session, input: 'hi', sessionOptions: { idleTimeoutSeconds: 60 } });
      const { output, podId, usage } = await job.result();
      expect({ output, podId, usage }).toEqual({
        output: 'hello',
        podId: 'pod1',
        usage: { inputTokens: 1, outputTokens: 2 },
      });
      const record = (await env.client.workflow.getHandle(`pod-session/${session}`).result()) as {
        stopReason: string;
        jobsServed: number;
      };
      expect(record.stopReason).toMatch(/^idle for 60 s: chat \(agent-job\/.*\) was the last user/);
      expect(record.jobsServed).toBe(1);
    });
    expect(world.rented).toHaveLength(1);
  });

  it('holds the pod beyond many lease terms while its workflow runs', async () => {
    const world = new FakeWorld();
    await withWorkers(env, world, async () => {
      const holder = await startHolder(40 * 60);
      const { handle, status, record } = await startSession(env.client, { idleTimeoutSeconds: 60 });
      await until(async () => (await status()).phase === 'ready');
      await handle.signal('acquireLease', { leaseId: 'long', holder: { kind: 'workflow', workflowId: holder } });
      const { leases, phases } = await record();
      expect(leases).toMatchObject([{ leaseId: 'long', end: 'holder-gone' }]);
      expect(phases.find(({ phase }) => phase === 'ready')?.seconds).toBeGreaterThan(40 * 60);
    });
    expect(world.calls.filter((call) => call === 'describeHolders').length).toBeGreaterThanOrEqual(7);
  });

  it('fails with the boot failure of the session that it waited for', async () => {
    const world = new FakeWorld();
    world.overrides.pollPod = async () => {
      throw finalFailure('BOOT_FAILED', 'the pod did not start. Last lines of its log:\nno space left');
    };
    await withWorkers(env, world, async () => {
      const job = await startJob(env.client, { session: 'no-boot', input: 'hi' });
      await expect(job.result()).rejects.toMatchObject({
        cause: { type: 'BOOT_FAILED', message: expect.stringContaining('no space left') as string },
      });
    });
    expect(world.calls).toEqual(['planSession', 'startPod', 'pollPod', 'stopPod']);
  });

  it('fails at once with the named field when its input is wrong', async () => {
    await withWorkers(env, new FakeWorld(), async () => {
      const job = await startJob(env.client, { session: 'Not A Name', input: 'hi' });
      await expect(job.result()).rejects.toMatchObject({
        cause: { type: 'INVALID_INPUT', message: expect.stringMatching(/session: must be 1 to 40/) as string },
      });
    });
  });
});

describe('a session that is asked to stop', () => {
  it('lets running work finish within the drain time and refuses new work for good', async () => {
    const world = new FakeWorld();
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    world.overrides.runAgent = async () => {
      await finished;
      return { output: 'done', messages: [], usage: { inputTokens: 1, outputTokens: 1 } };
    };
    await withWorkers(env, world, async () => {
      const { name, status, handle, record } = await startSession(env.client, {
        maxConcurrentLeases: 1,
        drainSeconds: 600,
      });
      const first = await startJob(env.client, { session: name, input: 'hi' });
      await until(async () => (await status()).leases.length === 1);
      const second = await startJob(env.client, { session: name, input: 'hi' });
      await until(async () => (await status()).queued === 1);
      await handle.signal('stop', { reason: 'lunch' });
      await expect(second.result()).rejects.toMatchObject({
        cause: { type: 'LEASE_REVOKED', message: expect.stringContaining('lunch') as string },
      });
      finish();
      expect((await first.result()).output).toBe('done');
      const { phases, stopReason } = await record();
      expect(stopReason).toBe('lunch');
      expect(phases.map(({ phase }) => phase)).toContain('draining');
    });
  });

  it('takes the pod from work that outlasts the drain', async () => {
    const world = new FakeWorld();
    world.overrides.runAgent = untilCancelled;
    await withWorkers(env, world, async () => {
      const { name, status, handle, record } = await startSession(env.client, { drainSeconds: 1 });
      const job = await startJob(env.client, { session: name, input: 'hi' });
      await until(async () => (await status()).leases.length === 1);
      await handle.signal('stop', { reason: 'now' });
      const { leases } = await record();
      expect(leases.map(({ end }) => end)).toEqual(['revoked']);
      await expect(job.result()).rejects.toMatchObject({ cause: { type: 'LEASE_REVOKED' } });
    });
    expect(world.stopped).toBe(1);
  });

  it('while it boots ends the boot and the pod', async () => {
    const world = new FakeWorld();
    world.overrides.pollPod = untilCancelled;
    await withWorkers(env, world, async () => {
      const { handle, status, record } = await startSession(env.client);
      await until(async () => (await status()).phase === 'booting');
      await handle.signal('stop', { reason: 'changed my mind' });
      expect((await record()).stopReason).toBe('changed my mind');
    });
    expect(world.stopped).toBe(1);
  });

  it('while its pod is being rented ends whatever that may have made', async () => {
    const world = new FakeWorld();
    const ended: StopPodInput[] = [];
    world.overrides.startPod = untilCancelled;
    world.overrides.stopPod = async (input) => {
      ended.push(input);
      return { endedAt: new Date().toISOString(), podIds: [] };
    };
    await withWorkers(env, world, async () => {
      const { name, handle, record } = await startSession(env.client);
      await until(async () => world.calls.includes('startPod'));
      await handle.signal('stop', { reason: 'changed my mind' });
      expect((await record()).stopReason).toBe('changed my mind');
      expect(ended).toMatchObject([{ session: name, attempt: 1 }]);
    });
    expect(ended[0]?.podId).toBeUndefined();
  });

  it('by a cancel ends the pod all the same', async () => {
    const world = new FakeWorld();
    await withWorkers(env, world, async () => {
      const { handle, status, record } = await startSession(env.client);
      await until(async () => (await status()).phase === 'ready');
      await handle.cancel();
      await expect(record()).rejects.toThrow();
      expect((await handle.describe()).status.name).toBe('CANCELLED');
    });
    expect(world.stopped).toBe(1);
  });
});

describe('limits', () => {
  it('the lifetime ends a session however busy it is', async () => {
    const world = new FakeWorld();
    // The holder is a session too, and may have ended by the time that we look.
    const ended: string[] = [];
    world.overrides.stopPod = async ({ session }) => {
      ended.push(session);
      return { endedAt: new Date().toISOString(), podIds: [] };
    };
    let session = '';
    await withWorkers(env, world, async () => {
      const holder = await startHolder(50_000);
      const { name, handle, status, record } = await startSession(env.client, {
        maxLifetimeSeconds: 3600,
        drainSeconds: 60,
      });
      session = name;
      await until(async () => (await status()).phase === 'ready');
      await handle.signal('acquireLease', { leaseId: 'busy', holder: { kind: 'workflow', workflowId: holder } });
      const { stopReason, startedAt, endedAt } = await record();
      expect(stopReason).toMatch(/^hard deadline/);
      expect((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toBeLessThan(3660);
    });
    expect(ended.filter((name) => name === session)).toHaveLength(1);
  });

  it('the budget ends a session before its lifetime', async () => {
    const world = new FakeWorld();
    await withWorkers(env, world, async () => {
      const { record } = await startSession(env.client, {
        maxCostUsd: 0.69,
        maxLifetimeSeconds: 36_000,
        idleTimeoutSeconds: 86_400,
      });
      const { stopReason, costUsd } = await record();
      expect(stopReason).toMatch(/^budget of \$0.69/);
      expect(costUsd).toBeLessThan(0.7);
    });
  });

  it('a stop that takes longer than two minutes is shown as stuck and goes on', async () => {
    const world = new FakeWorld();
    let attempts = 0;
    world.overrides.stopPod = async () => {
      attempts += 1;
      if (attempts <= 30) throw new Error('RunPod says 500');
      return { endedAt: new Date().toISOString(), podIds: [] };
    };
    await withWorkers(env, world, async () => {
      const { record } = await startSession(env.client, { idleTimeoutSeconds: 5 });
      const { phases } = await record();
      expect(phases.map(({ phase }) => phase)).toEqual(['creating', 'booting', 'ready', 'stopping', 'stuck']);
    });
    expect(attempts).toBe(31);
  });

  it('nothing is rented when every job that wanted the session is gone', async () => {
    const world = new FakeWorld();
    world.overrides.startPod = async ({ waiting, onlyForJobs }) => {
      expect(onlyForJobs).toBe(true);
      return { goneLeaseIds: waiting.map(({ leaseId }) => leaseId) };
    };
    await withWorkers(env, world, async () => {
      const job = await startJob(env.client, { session: 'nobody', input: 'hi', timeoutSeconds: 30 });
      await expect(job.result()).rejects.toThrow();
    });
    expect(world.stopped).toBe(0);
  });
});

/**
 * Some workflow that runs for that long: an idle session is as good a lease holder as any. It is idle when this returns:
 * a workflow that is terminated within a task of its own stops the test server's time for good.
 */
async function startHolder(seconds: number): Promise<string> {
  const { handle, status } = await startSession(env.client, {
    idleTimeoutSeconds: seconds,
    maxLifetimeSeconds: 100_000,
    maxCostUsd: 1000,
  });
  await until(async () => (await status()).phase === 'ready');
  return handle.workflowId;
}
