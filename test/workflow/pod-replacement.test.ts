import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StopPodInput } from '../../src/activities/types.js';
import { parsePodName, sessionWorkflowId } from '../../src/contract/index.js';
import { FakeWorld, finalFailure, startJob, startSession, withWorkers } from '../support/session-world.js';
import { timeSkippingServer } from '../support/temporal-servers.js';

let env: TestWorkflowEnvironment;
let world: FakeWorld;
/** What the session asked to end, oldest first. */
let ended: StopPodInput[];

beforeEach(async () => {
  env = await timeSkippingServer();
  world = new FakeWorld();
  ended = [];
  world.overrides.stopPod = async (input) => {
    ended.push(input);
    return { endedAt: new Date(await env.currentTimeMs()).toISOString(), podIds: [] };
  };
});

afterEach(async () => {
  await env.teardown();
});

const answer = { output: 'at last', messages: [], usage: { inputTokens: 1, outputTokens: 1 } };

/** The first `times` runs lose their pod. */
function losePods(times: number): void {
  let runs = 0;
  world.overrides.checkPod = async () => ({ verdict: 'lost', detail: 'nothing answers' });
  world.overrides.runAgent = async () => {
    runs += 1;
    if (runs <= times) throw finalFailure('POD_LOST', 'no connection to the pod', { podLost: true });
    return answer;
  };
}

/** A second plan has another hard deadline, which would show in the names of the pods. */
function planLaterEachTime(): void {
  let laterMs = 0;
  world.overrides.planSession = async ({ spec, startedAtMs }) => {
    const hardDeadlineMs = startedAtMs + spec.maxLifetimeSeconds * 1000 + laterMs;
    laterMs += 60_000;
    const candidates = [{ gpu: 'NVIDIA GeForce RTX 4090', costPerHourUsd: 0.69 }];
    return { owner: 'test-00000000', api: 'ollama', model: 'm', image: 'i', candidates, hardDeadlineMs };
  };
}

/** The first `times` pods do not boot. */
function failBoots(times: number, detail: object = { worthAnotherPod: true }): void {
  let boots = 0;
  world.overrides.pollPod = async ({ pod }) => {
    boots += 1;
    if (boots <= times) throw finalFailure('BOOT_FAILED', `boot ${boots} failed`, detail);
    return { endpoint: `http://127.0.0.1:1/proxy/${pod.id}/11434` };
  };
}

const attempts = (): (number | undefined)[] => world.rented.map((name) => parsePodName(name)?.attempt);
const hardDeadlines = (): Set<number | undefined> =>
  new Set(world.rented.map((name) => parsePodName(name)?.hardDeadlineSeconds));

describe('a pod that is lost in service', () => {
  it('is condemned and replaced within the session, for the job that lost it', async () => {
    losePods(1);
    planLaterEachTime();
    await withWorkers(env, world, async () => {
      const { name, record } = await startSession(env.client, { idleTimeoutSeconds: 60 });
      const job = await startJob(env.client, { session: name, input: 'hi' });
      expect(await job.result()).toMatchObject({ output: 'at last', podId: 'pod2' });
      const { pods, jobsServed, stopReason, leases } = await record();
      expect(pods.map(({ id }) => id)).toEqual(['pod1', 'pod2']);
      expect({ jobsServed, ends: leases.map(({ end }) => end) }).toEqual({
        jobsServed: 1,
        ends: ['revoked', 'released'],
      });
      expect(stopReason).toMatch(/^idle for 60 s/);
    });
    expect(attempts()).toEqual([1, 2]);
    expect(hardDeadlines().size).toBe(1);
    expect(ended.map(({ attempt, podId }) => ({ attempt, podId }))).toEqual([
      { attempt: 1, podId: 'pod1' },
      { attempt: 2, podId: 'pod2' },
    ]);
  });

  it('may have a twin, which is told to what ends it; not so the next one', async () => {
    losePods(1);
    world.overrides.startPod = async (input) => {
      const isFirst = parsePodName(input.podName)?.attempt === 1;
      return { pod: world.rent(input), goneLeaseIds: [], ...(isFirst && { mayHaveMore: true }) };
    };
    await withWorkers(env, world, async () => {
      const { name, record } = await startSession(env.client, { idleTimeoutSeconds: 60 });
      await (await startJob(env.client, { session: name, input: 'hi' })).result();
      await record();
    });
    expect(ended.map(({ podId, mayHaveMore }) => [podId, mayHaveMore])).toEqual([
      ['pod1', true],
      ['pod2', undefined],
    ]);
  });

  it('is replaced by the pod of another session when its own was terminated', async () => {
    const session = 's-terminated';
    let runs = 0;
    world.overrides.runAgent = async ({ grant }) => {
      if (grant.podId !== 'pod1') return answer;
      runs += 1;
      if (runs === 1) await env.client.workflow.getHandle(sessionWorkflowId(session)).terminate('by a person');
      throw finalFailure('POD_LOST', 'nothing answers', { podLost: true });
    };
    await withWorkers(env, world, async () => {
      await startSession(env.client, { session, idleTimeoutSeconds: 60 });
      const job = await startJob(env.client, { session, input: 'hi' });
      expect(await job.result()).toMatchObject({ output: 'at last', podId: 'pod2' });
    });
    expect(runs).toBe(1);
  });

  it('is no pod whose connections fail and that lives: its job tries it again', async () => {
    let runs = 0;
    world.overrides.runAgent = async () => {
      runs += 1;
      if (runs <= 3) throw finalFailure('POD_LOST', 'no connection to the pod', { podLost: true });
      return answer;
    };
    await withWorkers(env, world, async () => {
      const { name, status } = await startSession(env.client, { idleTimeoutSeconds: 600 });
      const job = await startJob(env.client, { session: name, input: 'hi' });
      expect(await job.result()).toMatchObject({ output: 'at last', podId: 'pod1' });
      expect((await status()).jobsServed).toBe(1);
    });
    expect([runs, world.rented.length]).toEqual([4, 1]);
  });

  it('is not replaced for nobody', async () => {
    world.overrides.checkPod = async () => ({ verdict: 'lost', detail: 'nothing answers' });
    await withWorkers(env, world, async () => {
      const { name, handle, status, record } = await startSession(env.client);
      while ((await status()).phase !== 'ready') await env.sleep('1 second');
      await handle.signal('reportPod', { podId: 'pod1', problem: `session ${name} hears nothing` });
      expect((await record()).stopReason).toMatch(/^the pod was lost/);
    });
    expect(world.rented).toHaveLength(1);
    expect(ended).toHaveLength(1);
  });

  it('fails its job when the next pod is lost too', async () => {
    losePods(2);
    await withWorkers(env, world, async () => {
      const { name, record } = await startSession(env.client, { idleTimeoutSeconds: 30 });
      const job = await startJob(env.client, { session: name, input: 'hi' });
      await expect(job.result()).rejects.toMatchObject({ cause: { type: 'POD_LOST' } });
      await record();
    });
    expect(ended.map(({ podId }) => podId)).toEqual(expect.arrayContaining(['pod1', 'pod2']));
  });

  it('ends the session and its jobs when it is the third within an hour', async () => {
    losePods(1000);
    await withWorkers(env, world, async () => {
      const { name, handle } = await startSession(env.client, { maxConcurrentLeases: 1 });
      const jobs = [
        await startJob(env.client, { session: name, input: 'hi' }),
        await startJob(env.client, { session: name, input: 'hi' }),
      ];
      for (const { result } of jobs) await expect(result()).rejects.toMatchObject({ cause: { type: 'POD_LOST' } });
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'POD_LOST' } });
    });
    expect(attempts()).toEqual([1, 2, 3]);
    expect(ended.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });
});

describe('a pod that does not boot', () => {
  it('is replaced while somebody waits, and the third one serves', async () => {
    failBoots(2);
    await withWorkers(env, world, async () => {
      const { name, record } = await startSession(env.client, { idleTimeoutSeconds: 30 });
      const job = await startJob(env.client, { session: name, input: 'hi' });
      expect((await job.result()).podId).toBe('pod3');
      expect((await record()).pods).toHaveLength(3);
    });
    expect(attempts()).toEqual([1, 2, 3]);
    expect(ended.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  it('fails the session and its jobs when it is the third in a row', async () => {
    failBoots(1000);
    await withWorkers(env, world, async () => {
      const { name, handle } = await startSession(env.client);
      const job = await startJob(env.client, { session: name, input: 'hi' });
      await expect(job.result()).rejects.toMatchObject({ cause: { type: 'BOOT_FAILED' } });
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'BOOT_FAILED' } });
    });
    expect(attempts()).toEqual([1, 2, 3]);
    expect(ended).toHaveLength(3);
  });

  it('is not replaced when another pod would fail alike, nor for nobody', async () => {
    failBoots(1000, {});
    await withWorkers(env, world, async () => {
      const { name } = await startSession(env.client);
      const job = await startJob(env.client, { session: name, input: 'hi' });
      await expect(job.result()).rejects.toMatchObject({ cause: { type: 'BOOT_FAILED' } });
      expect(world.rented).toHaveLength(1);
      failBoots(1000);
      const { handle } = await startSession(env.client);
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'BOOT_FAILED' } });
      expect(world.rented).toHaveLength(2);
    });
  });
});

describe('a pod that RunPod does not end', () => {
  it('lets a job go on with another one beside it, and is still ended in the end', async () => {
    let mayEnd = false;
    world.overrides.stopPod = async (input) => {
      ended.push(input);
      if (input.attempt === 1 && !mayEnd) throw new Error('still listed');
      return { endedAt: new Date(await env.currentTimeMs()).toISOString(), podIds: [] };
    };
    await withWorkers(env, world, async () => {
      const { name, status, record } = await startSession(env.client, { idleTimeoutSeconds: 600 });
      while ((await status()).phase !== 'stuck') await env.sleep('10 seconds');
      const job = await startJob(env.client, { session: name, input: 'hi' });
      expect((await job.result()).podId).toBe('pod2');
      const { phase, pod, condemned } = await status();
      expect({ phase, pod: pod?.id, condemned: condemned.map(({ id }) => id) }).toEqual({
        phase: 'ready',
        pod: 'pod2',
        condemned: ['pod1'],
      });
      mayEnd = true;
      const { pods, unsettled } = await record();
      expect(pods.map(({ id }) => id)).toEqual(['pod1', 'pod2']);
      expect(unsettled).toEqual([]);
    });
    // Each attempt is swept by itself: the end of the first must not take the second along.
    expect(ended.every(({ attempt, podId }) => podId === `pod${attempt}`)).toBe(true);
  });
});
