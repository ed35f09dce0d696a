import { describe, expect, it } from 'vitest';
import { grantSchema, leaseRevokedSchema } from '../../../src/contract/index.js';
import {
  bootingSession,
  externalRequest,
  held,
  newSession,
  queued,
  readySession,
  request,
  seconds,
  sent,
  stopOf,
} from './session-fixture.js';
import type { SessionState } from '../../../src/workflows/pod-session/session-state.js';

describe('asking for a lease', () => {
  it('waits in line until the pod is ready, first come, first served', () => {
    const state = bootingSession({ maxConcurrentLeases: 2 });
    for (const id of ['a', 'b', 'c']) state.acquire(request(id), seconds(3));
    expect([held(state), queued(state), sent(state)]).toEqual([[], ['a', 'b', 'c'], []]);
    state.podReady('http://endpoint', seconds(10));
    expect([held(state), queued(state), sent(state)]).toEqual([['a', 'b'], ['c'], ['grant a', 'grant b']]);
  });

  it('is granted at once on a ready pod with room', () => {
    const state = readySession();
    state.acquire(request('a', { label: 'chat', project: 'p' }), seconds(20));
    const [out] = state.takeOutbox();
    expect(out).toEqual({
      kind: 'grant',
      workflowId: 'holder-of-a',
      grant: {
        leaseId: 'a',
        podId: 'pod-1',
        podName: 'devloop.x',
        endpoint: 'http://endpoint',
        api: 'ollama',
        model: 'm',
        costPerHourUsd: 0.72,
        idleTimeoutSeconds: state.data.spec.idleTimeoutSeconds,
        expiresAt: new Date(seconds(320)).toISOString(),
      },
    });
    expect(out?.kind === 'grant' && grantSchema.safeParse(out.grant).success).toBe(true);
  });

  it('twice is one lease: a waiting one keeps its place, a held one gets its answer again', () => {
    const state = readySession({ maxConcurrentLeases: 1 });
    for (const id of ['a', 'b', 'c', 'b', 'a']) state.acquire(request(id), seconds(20));
    expect([held(state), queued(state)]).toEqual([['a'], ['b', 'c']]);
    expect(sent(state)).toEqual(['grant a']);
    state.acquire(request('a'), seconds(21));
    expect(sent(state)).toEqual(['grant a']);
    state.release('a', seconds(22));
    expect(state.data.jobsServed).toBe(1);
  });

  it('of an external holder is granted without a message: it asks by itself', () => {
    const state = readySession();
    state.acquire(externalRequest('x'), seconds(20));
    expect([held(state), sent(state)]).toEqual([['x'], []]);
  });

  it('is refused when a thousand wait already, and may be repeated', () => {
    const state = bootingSession();
    for (let i = 0; i < 1000; i++) state.acquire(request(`l${i}`), seconds(3));
    state.acquire(request('one too many'), seconds(3));
    expect(queued(state)).toHaveLength(1000);
    const [out] = state.takeOutbox();
    expect(out).toMatchObject({ kind: 'revoke', revoke: { leaseId: 'one too many', final: false } });
    state.acquire(request('l7'), seconds(4));
    expect(sent(state)).toEqual([]);
  });

  it.each(['draining', 'stopping', 'stopped'] as const)(
    'is refused while the session is %s, with the reason',
    (phase) => {
      const state = readySession();
      state.requestStop(stopOf('idle', seconds(30)));
      state.enter(phase, seconds(30));
      state.acquire(request('a'), seconds(31));
      const [out] = state.takeOutbox();
      expect(out).toMatchObject({ kind: 'revoke', revoke: { leaseId: 'a', reason: 'because idle', final: false } });
      expect(out?.kind === 'revoke' && leaseRevokedSchema.safeParse(out.revoke).success).toBe(true);
    },
  );

  it('waits for another pod while the one before does not end', () => {
    const state = readySession();
    state.requestStop(stopOf('idle', seconds(30)));
    state.enter('stuck', seconds(30));
    state.acquire(request('a'), seconds(31));
    expect({ queued: queued(state), reopens: state.reopens }).toEqual({ queued: ['a'], reopens: true });
  });

  it('waits for another pod when only an older one is left that does not end', () => {
    const state = readySession();
    state.data.mayHavePod = true;
    const older = state.condemnPod('lost', seconds(20))!;
    state.condemnedStuck(older, seconds(140));
    state.requestStop(stopOf('idle', seconds(200)));
    state.enter('stopping', seconds(200));
    state.data.mayHavePod = true;
    const newer = state.condemnPod('idle', seconds(200))!;
    state.condemnedGone(newer, seconds(205), seconds(210));
    expect(state.phase).toBe('stuck');
    state.acquire(request('a'), seconds(211));
    expect(state.reopens).toBe(true);
    state.condemnedGone(older, seconds(220), seconds(221));
    expect(state.hasCondemned).toBe(false);
  });

  it.each(['asked', 'cancelled', 'failed', 'budget', 'lifetime'] as const)(
    'is refused by a stuck session whose end was %s',
    (kind) => {
      const state = readySession();
      state.requestStop(stopOf(kind, seconds(30)));
      state.enter('stuck', seconds(30));
      state.acquire(request('a'), seconds(31));
      expect({ sent: sent(state), reopens: state.reopens }).toEqual({ sent: ['revoke a'], reopens: false });
    },
  );

  it('again and again from a session that answers nobody does not pile up', () => {
    const state = readySession();
    state.requestStop(stopOf('asked', seconds(30)));
    state.enter('stuck', seconds(30));
    for (let i = 0; i < 10_000; i++) state.acquire(request(`l${i % 3}`), seconds(31 + i));
    expect(sent(state).sort()).toEqual(['revoke l0', 'revoke l1', 'revoke l2']);
  });
});

describe('giving a lease back', () => {
  it('lets the next one in', () => {
    const state = readySession({ maxConcurrentLeases: 1 });
    for (const id of ['a', 'b']) state.acquire(request(id), seconds(20));
    sent(state);
    state.release('a', seconds(40));
    expect([held(state), queued(state), sent(state)]).toEqual([['b'], [], ['grant b']]);
    expect(state.data.leases[0]?.grantedAtMs).toBe(seconds(40));
    expect(state.data.endedLeases).toMatchObject([
      { leaseId: 'a', grantedAtMs: seconds(20), endedAtMs: seconds(40), end: 'released' },
    ]);
  });

  it('that is unknown, or twice, changes nothing', () => {
    const state = readySession();
    state.acquire(request('a'), seconds(20));
    state.release('a', seconds(30));
    const before = JSON.stringify(state.data);
    state.release('a', seconds(40));
    state.release('never heard of', seconds(40));
    expect(JSON.stringify(state.data)).toBe(before);
  });

  it('while waiting leaves the line', () => {
    const state = bootingSession();
    for (const id of ['a', 'b']) state.acquire(request(id), seconds(3));
    state.release('a', seconds(4));
    state.podReady('http://endpoint', seconds(10));
    expect([held(state), state.data.jobsServed]).toEqual([['b'], 0]);
  });

  it('takes back what was not yet sent, and nothing of others', () => {
    const state = readySession();
    for (const id of ['a', 'b']) state.acquire(request(id), seconds(20));
    state.release('a', seconds(20));
    expect(sent(state)).toEqual(['grant b']);
  });

  it('keeps the newest fifty, and counts all', () => {
    const state = readySession();
    for (let i = 0; i < 120; i++) {
      state.acquire(request(`l${i}`), seconds(20 + i));
      state.release(`l${i}`, seconds(20 + i));
    }
    expect(state.data.endedLeases.map(({ leaseId }) => leaseId)).toEqual(
      Array.from({ length: 50 }, (_, i) => `l${i + 70}`),
    );
    expect(state.data.jobsServed).toBe(120);
  });
});

describe('the term of a lease', () => {
  it.each([
    ['a workflow', request('a'), 300],
    ['an external holder', externalRequest('a'), 120],
    ['a holder that says how long', externalRequest('a', { ttlSeconds: 33 }), 33],
  ])('of %s', (_who, lease, termSeconds) => {
    const state = readySession();
    state.acquire(lease, seconds(20));
    expect(state.data.leases[0]?.expiresAtMs).toBe(seconds(20 + termSeconds));
    expect(state.dueHolders(seconds(20 + termSeconds) - 1)).toEqual([]);
    expect(state.dueHolders(seconds(20 + termSeconds)).map(({ leaseId }) => leaseId)).toEqual(['a']);
  });

  it('begins anew with a renewal', () => {
    const state = readySession();
    state.acquire(externalRequest('a'), seconds(20));
    state.renew('a', seconds(90), seconds(100));
    expect(state.data.leases[0]).toMatchObject({ expiresAtMs: seconds(220), lastUsedAtMs: seconds(90) });
  });

  it('takes a renewal without a time for a use now', () => {
    const state = readySession();
    state.acquire(externalRequest('a'), seconds(20));
    state.renew('a', undefined, seconds(100));
    expect(state.data.leases[0]?.lastUsedAtMs).toBe(seconds(100));
  });

  it('believes no use in the future, and forgets none of the past', () => {
    const state = readySession();
    state.acquire(externalRequest('a'), seconds(20));
    state.renew('a', seconds(1_000_000), seconds(100));
    expect(state.data.leases[0]?.lastUsedAtMs).toBe(seconds(100));
    state.renew('a', seconds(5), seconds(110));
    expect(state.data.leases[0]?.lastUsedAtMs).toBe(seconds(100));
  });

  it('of an unknown lease cannot be renewed', () => {
    const state = readySession();
    state.renew('ghost', seconds(100), seconds(100));
    expect(held(state)).toEqual([]);
  });
});

describe('a lease that is asked for by update', () => {
  const use = (state: SessionState, leaseId: string, atSeconds: number) =>
    state.request(externalRequest(leaseId), seconds(atSeconds));

  it('is answered at once: granted, or the place in the line; asking again is the same lease, renewed', () => {
    const state = readySession({ maxConcurrentLeases: 1 });
    expect(use(state, 'a', 20)).toMatchObject({ state: 'granted', grant: { leaseId: 'a', podId: 'pod-1' } });
    expect(use(state, 'b', 21)).toEqual({ state: 'queued', position: 1 });
    expect(use(state, 'a', 100)).toMatchObject({ grant: { expiresAt: new Date(seconds(220)).toISOString() } });
    expect([held(state), queued(state), sent(state)]).toEqual([['a'], ['b'], []]);
    state.release('a', seconds(101));
    expect(use(state, 'b', 102)).toMatchObject({ state: 'granted' });
  });

  it('waits while the pod boots', () => {
    expect(bootingSession().request(externalRequest('a'), seconds(3))).toEqual({ state: 'queued', position: 1 });
  });

  it('is refused by a session that ends, and by one that is another than was asked for', () => {
    const state = readySession();
    const other = externalRequest('a', { wants: { model: 'other' } });
    expect(() => state.request(other, seconds(20))).toThrow(expect.objectContaining({ code: 'SESSION_SPEC_CONFLICT' }));
    state.requestStop(stopOf('asked', seconds(30)));
    expect(() => use(state, 'a', 31)).toThrow(expect.objectContaining({ code: 'LEASE_REVOKED' }));
  });
});

describe('a holder whose term is over', () => {
  it('keeps the lease while it runs: that is use', () => {
    const state = readySession();
    state.acquire(request('a'), seconds(20));
    state.holderChecked('a', 'running', seconds(320));
    expect(state.data.leases[0]).toMatchObject({ expiresAtMs: seconds(620), lastUsedAtMs: seconds(320) });
  });

  it('keeps the lease while nobody knows: that is no use', () => {
    const state = readySession();
    state.acquire(request('a'), seconds(20));
    state.holderChecked('a', 'unknown', seconds(320));
    expect(state.data.leases[0]).toMatchObject({ expiresAtMs: seconds(620), lastUsedAtMs: seconds(20) });
  });

  it('loses it when it is gone, and the next one comes in', () => {
    const state = readySession({ maxConcurrentLeases: 1 });
    for (const id of ['a', 'b']) state.acquire(request(id), seconds(20));
    sent(state);
    state.holderChecked('a', 'gone', seconds(320));
    expect([held(state), sent(state)]).toEqual([['b'], ['grant b']]);
    expect(state.data.endedLeases).toMatchObject([{ leaseId: 'a', end: 'holder-gone' }]);
  });

  it('that is gone while it waits leaves the line', () => {
    const state = bootingSession();
    state.acquire(request('a'), seconds(3));
    state.holderGone('a', seconds(4));
    expect([queued(state), state.data.jobsServed]).toEqual([[], 0]);
  });

  it('may have given the lease back while it was looked for', () => {
    const state = readySession();
    state.acquire(request('a'), seconds(20));
    state.release('a', seconds(30));
    state.holderChecked('a', 'gone', seconds(320));
    expect(state.data.jobsServed).toBe(1);
  });
});

describe('suspicion against the pod', () => {
  it('is heard about the pod in service only, and taken once', () => {
    const state = readySession();
    state.suspectPod('another pod', 'x');
    expect(state.needsAttention).toBe(false);
    state.suspectPod('pod-1', 'it does not answer');
    expect(state.needsAttention).toBe(true);
    expect(state.takeSuspicion()).toEqual({ podId: 'pod-1', problem: 'it does not answer' });
    expect([state.needsAttention, state.takeSuspicion()]).toEqual([false, undefined]);
  });

  it('means nothing before the pod serves', () => {
    const state = bootingSession();
    state.suspectPod('pod-1', 'x');
    newSession().suspectPod('pod-1', 'x');
    expect(state.needsAttention).toBe(false);
  });
});
