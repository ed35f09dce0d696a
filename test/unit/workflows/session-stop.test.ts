import { describe, expect, it } from 'vitest';
import { externalRequest, held, readySession, request, seconds, sent, stopOf } from './session-fixture.js';

describe('draining before the end of life', () => {
  it.each([
    ['the drain time, of a long life', { maxLifetimeSeconds: 3600, drainSeconds: 60 }, 60],
    ['a tenth of a short life at most', { maxLifetimeSeconds: 100, drainSeconds: 60 }, 10],
    ['nothing, when nothing was asked for', { maxLifetimeSeconds: 3600, drainSeconds: 0 }, 0],
  ])('begins earlier by %s', (_what, input, early) => {
    const state = readySession({ ...input, idleTimeoutSeconds: 86_400 });
    state.acquire(request('a', { ttlSeconds: 600 }), seconds(20));
    const beginsMs = seconds(input.maxLifetimeSeconds - early);
    state.applyDeadlines(beginsMs - 1);
    expect(state.stopRequested).toBe(false);
    state.applyDeadlines(beginsMs);
    expect(state.data.stop).toMatchObject({ kind: 'lifetime', atMs: beginsMs });
    expect(state.drainDeadlineMs()).toBeLessThanOrEqual(seconds(input.maxLifetimeSeconds));
  });

  it('begins earlier only for those who hold a lease', () => {
    const state = readySession({ maxLifetimeSeconds: 3600, drainSeconds: 60, idleTimeoutSeconds: 86_400 });
    state.applyDeadlines(seconds(3599));
    expect(state.stopRequested).toBe(false);
  });
});

describe('the drain deadline', () => {
  const busy = (drainSeconds: number) => {
    const state = readySession({ drainSeconds, maxLifetimeSeconds: 3600 });
    state.acquire(request('a'), seconds(20));
    return state;
  };

  it.each(['asked', 'lifetime', 'budget', 'failed', 'nobody-left'] as const)('gives %s its time', (kind) => {
    const state = busy(60);
    state.requestStop(stopOf(kind, seconds(100)));
    expect(state.drainDeadlineMs()).toBe(seconds(160));
  });

  it.each(['cancelled', 'lost', 'idle'] as const)('gives %s none', (kind) => {
    const state = busy(60);
    state.requestStop(stopOf(kind, seconds(100)));
    expect(state.drainDeadlineMs()).toBeLessThanOrEqual(seconds(100));
  });

  it('never reaches past the last moment', () => {
    const state = busy(3600);
    state.requestStop(stopOf('asked', seconds(3000)));
    expect(state.drainDeadlineMs()).toBe(seconds(3600));
  });

  it('is over when the last lease is back', () => {
    const state = busy(60);
    state.requestStop(stopOf('asked', seconds(100)));
    state.release('a', seconds(110));
    expect(state.drainDeadlineMs()).toBeLessThanOrEqual(seconds(110));
  });

  it('is cut short by a cancel', () => {
    const state = busy(3600);
    state.requestStop(stopOf('asked', seconds(100)));
    const untilMs = state.drainDeadlineMs();
    state.requestStop(stopOf('cancelled', seconds(110)));
    expect(state.drainDeadlineMs()).toBeLessThan(untilMs);
  });
});

describe('stopping', () => {
  it('is for the first reason: a later one cannot soften it', () => {
    const state = readySession();
    state.requestStop(stopOf('asked', seconds(20)));
    state.requestStop(stopOf('idle', seconds(30)));
    state.applyDeadlines(seconds(1_000_000));
    expect(state.data.stop).toMatchObject({ kind: 'asked', atMs: seconds(20) });
  });

  it('by a cancel overrides every other reason, and nothing overrides a cancel', () => {
    const state = readySession();
    state.requestStop(stopOf('asked', seconds(20)));
    state.requestStop(stopOf('cancelled', seconds(30)));
    state.requestStop(stopOf('cancelled', seconds(40)));
    state.requestStop(stopOf('failed', seconds(50)));
    expect(state.data.stop).toMatchObject({ kind: 'cancelled', atMs: seconds(30) });
  });

  it.each([
    ['asked', true, 'LEASE_REVOKED'],
    ['cancelled', true, 'LEASE_REVOKED'],
    ['budget', true, 'LEASE_REVOKED'],
    ['failed', true, 'BOOT_FAILED'],
    ['idle', false, undefined],
    ['lifetime', false, undefined],
    ['lost', false, undefined],
    ['nobody-left', false, undefined],
  ] as const)('%s: whoever waits or works is told, final: %s', (kind, final, code) => {
    const state = readySession({ maxConcurrentLeases: 1 });
    for (const id of ['works', 'waits']) state.acquire(request(id), seconds(20));
    state.acquire(externalRequest('external'), seconds(20));
    sent(state);
    state.requestStop(stopOf(kind, seconds(30), kind === 'failed' ? 'BOOT_FAILED' : undefined));
    state.revokeAll(seconds(40));
    const revokes = state.takeOutbox().map((out) => out.kind === 'revoke' && out.revoke);
    expect(revokes).toEqual([
      { leaseId: 'waits', reason: `because ${kind}`, final, code },
      { leaseId: 'works', reason: `because ${kind}`, final, code },
    ]);
    expect([held(state), state.data.queue, state.data.endedLeases]).toMatchObject([
      [],
      [],
      [{ leaseId: 'works', end: 'revoked' }],
    ]);
  });

  it('lets nobody else in, not even into a place that gets free', () => {
    const state = readySession({ maxConcurrentLeases: 1 });
    for (const id of ['a', 'b']) state.acquire(request(id), seconds(20));
    sent(state);
    state.requestStop(stopOf('asked', seconds(30)));
    state.release('a', seconds(31));
    expect([held(state), sent(state)]).toEqual([[], []]);
  });

  it('answers a holder that asks again while it may still work', () => {
    const state = readySession();
    state.acquire(request('a'), seconds(20));
    state.requestStop(stopOf('asked', seconds(30)));
    state.enter('draining', seconds(30));
    sent(state);
    state.acquire(request('a'), seconds(31));
    expect(sent(state)).toEqual(['grant a']);
  });

  it('tells a holder the last word only', () => {
    const state = readySession();
    state.acquire(request('a'), seconds(20));
    state.requestStop(stopOf('cancelled', seconds(20)));
    state.revokeAll(seconds(20));
    expect(sent(state)).toEqual(['revoke a']);
  });
});
