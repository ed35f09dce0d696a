import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeWorld, startSession, withWorkers } from '../support/session-world.js';
import { timeSkippingServer } from '../support/temporal-servers.js';

let env: TestWorkflowEnvironment;

beforeEach(async () => {
  env = await timeSkippingServer();
});

afterEach(async () => {
  await env.teardown();
});

const lease = { leaseId: 'shell', holder: { kind: 'external' }, ttlSeconds: 60, hold: true };

describe('a holder outside Temporal', () => {
  it('that falls silent loses its lease at the end of its term, and the pod its idle time later', async () => {
    await withWorkers(env, new FakeWorld(), async () => {
      const { handle, record } = await startSession(env.client, { idleTimeoutSeconds: 30 });
      await handle.signal('acquireLease', lease);
      const { stopReason, leases, phases } = await record();
      expect(stopReason).toMatch(/^idle for 30 s: shell was the last user/);
      expect(leases).toMatchObject([{ leaseId: 'shell', end: 'holder-gone' }]);
      const ready = phases.find(({ phase }) => phase === 'ready')?.seconds ?? 0;
      expect(ready).toBeGreaterThanOrEqual(59);
      expect(ready).toBeLessThan(150);
    });
  });

  it('that gives its lease back long before its term leaves the pod its idle time and no more', async () => {
    await withWorkers(env, new FakeWorld(), async () => {
      const { handle, status, record } = await startSession(env.client, { idleTimeoutSeconds: 30 });
      await handle.signal('acquireLease', { ...lease, ttlSeconds: 600 });
      while ((await status()).leases.length === 0) await env.sleep('1 second');
      await env.sleep('10 seconds');
      await handle.signal('releaseLease', { leaseId: 'shell' });
      const ready = (await record()).phases.find(({ phase }) => phase === 'ready')?.seconds ?? 0;
      expect(ready).toBeGreaterThanOrEqual(39);
      expect(ready).toBeLessThan(300);
    });
  });

  it('that renews its lease keeps the pod', async () => {
    await withWorkers(env, new FakeWorld(), async () => {
      const { handle, status, record } = await startSession(env.client, { idleTimeoutSeconds: 30 });
      await handle.signal('acquireLease', lease);
      for (let i = 0; i < 6; i++) {
        await env.sleep('40 seconds');
        await handle.signal('renewLease', { leaseId: 'shell' });
      }
      expect((await status()).leases).toMatchObject([{ leaseId: 'shell' }]);
      await handle.signal('releaseLease', { leaseId: 'shell' });
      expect(await record()).toMatchObject({ leases: [{ leaseId: 'shell', end: 'released' }] });
    });
  });
});
