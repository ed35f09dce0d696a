import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeWorld, finalFailure, startJob, startSession, withWorkers } from '../../support/session-world.js';
import { timeSkippingServer } from '../../support/temporal-servers.js';

/** Whatever an activity fails with, the session must not end before its pod has. */

let env: TestWorkflowEnvironment;
let world: FakeWorld;

beforeEach(async () => {
  env = await timeSkippingServer();
  world = new FakeWorld();
});

afterEach(async () => {
  await env.teardown();
});

const callsOf = (name: string): number => world.calls.filter((call) => call === name).length;

describe('a session outlives', () => {
  it('a stop that fails "for good", as often as it takes', async () => {
    let attempts = 0;
    world.overrides.stopPod = async () => {
      attempts += 1;
      if (attempts < 5) throw finalFailure('RUNPOD_UNAUTHORIZED', 'the key is refused');
      return { endedAt: new Date().toISOString(), podIds: [] };
    };
    await withWorkers(env, world, async () => {
      const { record } = await startSession(env.client, { idleTimeoutSeconds: 5 });
      const { phases, stopReason } = await record();
      expect(phases.map(({ phase }) => phase)).toContain('stuck');
      expect(stopReason).toMatch(/^idle/);
    });
    expect(attempts).toBe(5);
  });

  it('a look at the pod that fails for good, and one that never succeeds', async () => {
    const failures = [
      finalFailure('RUNPOD_UNAUTHORIZED', 'the key is refused'),
      ...Array<Error>(100).fill(new Error('HTTP 503')),
    ];
    world.overrides.checkPod = async () => {
      throw failures.shift() ?? new Error('HTTP 503');
    };
    world.overrides.runAgent = async () => {
      throw finalFailure('POD_LOST', 'the pod does not answer', { podLost: true });
    };
    await withWorkers(env, world, async () => {
      const options = { idleTimeoutSeconds: 600, maxLifetimeSeconds: 3600 };
      const { name, record } = await startSession(env.client, options);
      const job = await startJob(env.client, { session: name, input: 'hi' });
      await expect(job.result()).rejects.toMatchObject({ cause: { type: 'POD_LOST' } });
      expect((await record()).stopReason).toMatch(/^idle for 600 s/);
    });
    expect(world.stopped).toBe(1);
  });
});

describe('a job that loses its pods', () => {
  it('reports each time: the session must not keep a dead pod for its idle time', async () => {
    world.overrides.runAgent = async () => {
      throw finalFailure('POD_LOST', 'the pod does not answer', { podLost: true });
    };
    world.overrides.checkPod = async () =>
      callsOf('checkPod') === 1 ? { verdict: 'alive', detail: '' } : { verdict: 'lost', detail: 'no answer' };
    await withWorkers(env, world, async () => {
      const { name, record } = await startSession(env.client, { idleTimeoutSeconds: 3600 });
      const job = await startJob(env.client, { session: name, input: 'hi' });
      await expect(job.result()).rejects.toMatchObject({ cause: { type: 'POD_LOST' } });
      expect((await record()).stopReason).toMatch(/^the pod was lost: no answer/);
    });
    expect(world.stopped).toBe(2);
  });
});

describe('a session that fails', () => {
  it('because RunPod did not answer for ten minutes says so', async () => {
    world.overrides.planSession = async () => {
      throw ApplicationFailure.create({ type: 'RUNPOD_UNREACHABLE', message: 'HTTP 503' });
    };
    await withWorkers(env, world, async () => {
      const { record } = await startSession(env.client);
      await expect(record()).rejects.toMatchObject({
        cause: { type: 'RUNPOD_UNREACHABLE', message: expect.stringContaining('HTTP 503') as string },
      });
    });
    expect(world.stopped).toBe(0);
  });
});
