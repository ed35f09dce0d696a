import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SeenPod, SweepReport } from '../../src/contract/index.js';
import { TASK_QUEUES } from '../../src/contract/index.js';
import { FakeWorld, startSession, withWorkers } from '../support/session-world.js';
import { timeSkippingServer } from '../support/temporal-servers.js';

let env: TestWorkflowEnvironment;
let world: FakeWorld;

beforeEach(async () => {
  env = await timeSkippingServer();
  world = new FakeWorld();
});

afterEach(async () => {
  await env.teardown();
});

const seen = (podId: string, verdict: string): SeenPod => ({
  podId,
  podName: `devloop.o.s.r.1.${podId}`,
  session: 's',
  status: 'RUNNING',
  verdict,
  why: `it is ${verdict}`,
});

const reportOf = (change: Partial<SweepReport>): SweepReport => ({
  at: new Date(0).toISOString(),
  pods: 1,
  suspects: [],
  ended: [],
  reported: [],
  problems: [],
  webhook: true,
  ...change,
});

const reap = () =>
  env.client.workflow.execute('PodReaper', {
    taskQueue: TASK_QUEUES.control,
    workflowId: 'devloop-reaper',
    args: [],
  }) as Promise<SweepReport>;

describe('a round of the reaper', () => {
  it('looks a second time, a minute later, only for suspects, and hands them on', async () => {
    const given: (readonly SeenPod[])[] = [];
    const at: number[] = [];
    world.overrides.sweep = async ({ suspects }) => {
      given.push(suspects);
      at.push(await env.currentTimeMs());
      return suspects.length === 0
        ? reportOf({ suspects: [seen('a', 'orphan')], ended: [seen('b', 'overdue')] })
        : reportOf({ ended: [seen('a', 'orphan')] });
    };
    await withWorkers(env, world, async () => {
      expect((await reap()).ended.map(({ podId }) => podId)).toEqual(['b', 'a']);
    });
    expect(given.map((suspects) => suspects.map(({ podId }) => podId))).toEqual([[], ['a']]);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(60_000);
    expect(world.told.map((event) => event.event !== 'session.stopped' && event.pod.id)).toEqual(['b', 'a']);
  });

  it('is over after one look when there is nothing to suspect', async () => {
    await withWorkers(env, world, reap);
    expect(world.calls).toEqual(['sweep']);
    expect(world.told).toEqual([]);
  });
});

describe('the webhook', () => {
  const withWebhook = (): void => {
    const { planSession } = new FakeWorld();
    world.overrides.planSession = async (input) => ({ ...(await planSession(input)), webhook: true });
  };

  it('hears of the end with its cost, and of a pod that does not end, tried again while nobody listens', async () => {
    withWebhook();
    let stops = 0;
    world.overrides.stopPod = async () => {
      stops += 1;
      if (stops <= 30) throw new Error('RunPod says 500');
      return { endedAt: new Date(await env.currentTimeMs()).toISOString(), podIds: [] };
    };
    world.overrides.deliverWebhook = async () => {
      if (world.told.length <= 2) throw new Error('nobody listens');
    };
    await withWorkers(env, world, async () => {
      const { record } = await startSession(env.client, { idleTimeoutSeconds: 5 });
      const { costUsd } = await record();
      while (!world.told.some(({ event }) => event === 'session.stopped')) await env.sleep('1 second');
      const stopped = world.told.find((told) => told.event === 'session.stopped');
      expect(stopped).toMatchObject({ record: { costUsd } });
    });
    const stuck = world.told.filter(({ event }) => event === 'pod.stuck');
    expect(stuck).toHaveLength(3);
    expect(new Set(stuck.map(({ id }) => id)).size).toBe(1);
    expect(stuck[0]).toMatchObject({ pod: { id: 'pod1' } });
  });

  it('that nobody has set costs a session nothing', async () => {
    await withWorkers(env, world, async () => {
      await (await startSession(env.client, { idleTimeoutSeconds: 5 })).record();
    });
    expect(world.told).toEqual([]);
  });
});
