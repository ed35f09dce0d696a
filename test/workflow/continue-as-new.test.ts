import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LeaseAnswer } from '../../src/contract/index.js';
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

/** Requests after which a session begins a new run. */
const MANY = 500;
/** A server allows ten at a time. */
const AT_ONCE = 10;

/** A session that serves, whatever its present run. */
async function serving(maxConcurrentLeases: number) {
  const { name, status } = await startSession(env.client, { maxConcurrentLeases, idleTimeoutSeconds: 3600 });
  while ((await status()).phase !== 'ready') await env.sleep('1 second');
  const handle = env.client.workflow.getHandle(`pod-session/${name}`);
  const request = (leaseId: string): Promise<LeaseAnswer> =>
    handle.executeUpdate('requestLease', {
      args: [{ leaseId, holder: { kind: 'external' }, ttlSeconds: 600, hold: true }],
    });
  const askOften = async (): Promise<void> => {
    for (let i = 0; i < MANY; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, () => request('held')));
  };
  const runId = async (): Promise<string> => (await handle.describe()).runId;
  return { handle, status, request, askOften, runId };
}

describe('a session that was asked very often', () => {
  it('begins a new run with its pod, its leases and its queue', { timeout: 120_000 }, async () => {
    await withWorkers(env, world, async () => {
      const { handle, status, request, askOften, runId } = await serving(1);
      expect(await request('held')).toMatchObject({ state: 'granted' });
      expect(await request('waits')).toEqual({ state: 'queued', position: 1 });
      const before = await runId();
      await askOften();
      await expect.poll(runId, { timeout: 20_000 }).not.toBe(before);
      expect(await status()).toMatchObject({ phase: 'ready', queued: 1, leases: [{ leaseId: 'held' }] });
      await handle.signal('releaseLease', { leaseId: 'held' });
      expect(await request('waits')).toMatchObject({ state: 'granted', grant: { podId: 'pod1' } });
      await handle.signal('stop', { reason: 'enough' });
      await handle.signal('releaseLease', { leaseId: 'waits' });
      expect(await handle.result()).toMatchObject({ jobsServed: 2, pods: [{ id: 'pod1' }] });
    });
    expect({ rented: world.rented.length, stopped: world.stopped }).toEqual({ rented: 1, stopped: 1 });
  });

  it('waits with that until the pod is gone that it has given up', { timeout: 120_000 }, async () => {
    let letGo: () => void = () => undefined;
    const ended: (string | undefined)[] = [];
    const gone = new Promise<void>((resolve) => (letGo = resolve));
    world.overrides.checkPod = async () => ({ verdict: 'lost', detail: 'nothing answers' });
    world.overrides.stopPod = async ({ podId }) => {
      ended.push(podId);
      if (podId === 'pod1') await gone;
      return { endedAt: new Date(await env.currentTimeMs()).toISOString(), podIds: [] };
    };
    await withWorkers(env, world, async () => {
      const { handle, status, request, askOften, runId } = await serving(2);
      await request('held');
      await handle.signal('reportPod', { podId: 'pod1', problem: 'silent' });
      await expect.poll(async () => (await status()).pod?.id, { timeout: 20_000 }).toBe('pod2');
      const before = await runId();
      await askOften();
      // Its grant finds nobody: the session has something to do, and sees how often it was asked.
      await handle.signal('acquireLease', { leaseId: 'x', holder: { kind: 'workflow', workflowId: 'nobody' } });
      await expect.poll(async () => (await status()).jobsServed, { timeout: 20_000 }).toBe(1);
      expect(await status()).toMatchObject({ condemned: [{ id: 'pod1' }] });
      expect(await runId()).toBe(before);
      letGo();
      await expect.poll(async () => (await status()).condemned, { timeout: 20_000 }).toEqual([]);
      await request('held');
      await expect.poll(runId, { timeout: 20_000 }).not.toBe(before);
      await handle.signal('stop', { reason: 'enough' });
      await handle.signal('releaseLease', { leaseId: 'held' });
      await handle.result();
    });
    expect(ended).toEqual(['pod1', 'pod2']);
  });
});
