import { describe, expect, it } from 'vitest';
import {
  bootingSession,
  externalRequest,
  newSession,
  PRICE_USD,
  readySession,
  request,
  seconds,
} from './session-fixture.js';
import type { SessionState } from '../../../src/workflows/pod-session/session-state.js';

describe('the idle deadline', () => {
  const idle = (idleTimeoutSeconds = 100) => readySession({ idleTimeoutSeconds });

  it('counts from the moment the pod is ready', () => {
    expect(idle().idleDeadlineMs()).toBe(seconds(110));
  });

  it('is not there before the pod is ready', () => {
    expect([newSession().idleDeadlineMs(), bootingSession().idleDeadlineMs()]).toEqual([undefined, undefined]);
  });

  it('is not there while a lease is held or waited for', () => {
    const state = readySession({ maxConcurrentLeases: 1, idleTimeoutSeconds: 100 });
    for (const id of ['a', 'b']) state.acquire(request(id), seconds(20));
    expect(state.idleDeadlineMs()).toBeUndefined();
    state.release('a', seconds(500));
    expect(state.idleDeadlineMs()).toBeUndefined();
    state.release('b', seconds(600));
    expect(state.idleDeadlineMs()).toBe(seconds(700));
  });

  it('counts from the last end of a lease, not of the last one granted', () => {
    const state = idle();
    for (const id of ['a', 'b']) state.acquire(request(id), seconds(20));
    state.release('b', seconds(50));
    state.release('a', seconds(40));
    expect(state.idleDeadlineMs()).toBe(seconds(150));
  });

  it('counts from the last known use of a holder that is gone, not from our finding it out', () => {
    const state = idle(480);
    state.acquire(request('a', { label: 'chat' }), seconds(20));
    state.holderChecked('a', 'running', seconds(320));
    state.holderChecked('a', 'gone', seconds(620));
    expect(state.idleDeadlineMs()).toBe(seconds(320 + 480));
    expect(state.data.lastUse).toEqual({ atMs: seconds(320), by: 'chat' });
  });

  it('never counts from before the pod was ready', () => {
    const state = bootingSession({ idleTimeoutSeconds: 100 });
    state.data.lastUse = { atMs: seconds(-500), by: 'an earlier pod' };
    state.podReady('http://endpoint', seconds(10));
    expect(state.idleDeadlineMs()).toBe(seconds(110));
  });

  it('is not there once the session ends', () => {
    const state = idle();
    state.enter('draining', seconds(20));
    expect(state.idleDeadlineMs()).toBeUndefined();
  });

  it('stops the session at its moment and not before, with the last user in the reason', () => {
    const state = idle();
    state.acquire(request('a', { label: 'chat (job 7)' }), seconds(20));
    state.release('a', seconds(30));
    state.applyDeadlines(seconds(130) - 1);
    expect(state.stopRequested).toBe(false);
    state.applyDeadlines(seconds(130));
    expect(state.data.stop).toEqual({
      kind: 'idle',
      reason: 'idle for 100 s: chat (job 7) was the last user at 12:00:30 UTC',
      atMs: seconds(130),
    });
  });
});

describe('the end of life', () => {
  it('is the plan’s hard deadline, and before there is a plan the lifetime', () => {
    const state = newSession({ maxLifetimeSeconds: 3600 });
    expect(state.endDeadline()).toMatchObject({ kind: 'lifetime', atMs: seconds(3600) });
    state.data.plan = { owner: 'o', api: 'ollama', model: 'm', candidates: [], hardDeadlineMs: seconds(1000) };
    expect(state.endDeadline()).toMatchObject({ kind: 'lifetime', atMs: seconds(1000) });
  });

  it.each([
    ['the budget at the real price', { maxCostUsd: PRICE_USD / 2, maxLifetimeSeconds: 3600 }, 'budget', 2 + 1800],
    [
      'the lifetime when the budget lasts longer',
      { maxCostUsd: PRICE_USD * 2, maxLifetimeSeconds: 3600 },
      'lifetime',
      3600,
    ],
    [
      'the lifetime when both end together',
      { maxCostUsd: (PRICE_USD * 3598) / 3600, maxLifetimeSeconds: 3600 },
      'lifetime',
      3600,
    ],
  ] as const)('is %s', (_what, input, kind, second) => {
    const end = bootingSession(input).endDeadline();
    expect(end.kind).toBe(kind);
    expect(end.atMs).toBeCloseTo(seconds(second), -1);
  });

  it("is reached by the limits that the operator's caps left, not by those that were asked for", () => {
    const state = bootingSession({ maxCostUsd: PRICE_USD * 2, maxLifetimeSeconds: 7200 });
    const limits = { maxPriceUsdPerHour: 1, maxCostUsd: PRICE_USD / 2, maxLifetimeSeconds: 7200 };
    state.data.plan = { ...state.data.plan!, limits };
    expect(state.endDeadline()).toMatchObject({ kind: 'budget', reason: `budget of $${PRICE_USD / 2} reached` });
    expect(state.endDeadline().atMs).toBeCloseTo(seconds(2 + 1800), -1);
  });

  it('has no budget for a pod whose price is unknown, but a lifetime', () => {
    const state = bootingSession({ maxCostUsd: 0.01, maxLifetimeSeconds: 3600 });
    state.data.pod = { ...state.data.pod!, costPerHourUsd: 0 };
    expect(state.endDeadline()).toMatchObject({ kind: 'lifetime', atMs: seconds(3600) });
  });

  it('is never moved by use', () => {
    const state = readySession({ maxLifetimeSeconds: 3600 });
    const { atMs } = state.endDeadline();
    state.acquire(request('a'), seconds(20));
    state.renew('a', seconds(3000), seconds(3000));
    state.holderChecked('a', 'running', seconds(3100));
    expect(state.endDeadline().atMs).toBe(atMs);
  });

  it('stops an unused session at its moment', () => {
    const state = readySession({ maxLifetimeSeconds: 3600, idleTimeoutSeconds: 86_400 });
    state.applyDeadlines(seconds(3600) - 1);
    expect(state.stopRequested).toBe(false);
    state.applyDeadlines(seconds(3600));
    expect(state.data.stop).toMatchObject({ kind: 'lifetime', reason: 'hard deadline 13:00:00 UTC reached' });
  });

  it('comes before the idle time when both are over', () => {
    const state = readySession({ maxLifetimeSeconds: 60, idleTimeoutSeconds: 5 });
    state.applyDeadlines(seconds(100));
    expect(state.data.stop?.kind).toBe('lifetime');
  });

  it('says which budget was reached', () => {
    const state = readySession({ maxCostUsd: 0.36, idleTimeoutSeconds: 86_400 });
    state.applyDeadlines(seconds(1803));
    expect(state.data.stop).toMatchObject({ kind: 'budget', reason: 'budget of $0.36 reached' });
  });
});

describe('the next moment to look at the clock', () => {
  it('is the idle deadline of an unused pod', () => {
    expect(readySession({ idleTimeoutSeconds: 100 }).nextWakeMs()).toBe(seconds(110));
  });

  it('is the end of the first term of a used one', () => {
    const state = readySession();
    state.acquire(request('a'), seconds(20));
    state.acquire(externalRequest('b'), seconds(30));
    expect(state.nextWakeMs()).toBe(seconds(150));
  });

  it('is the beginning of the drain when that comes first', () => {
    const state = readySession({ maxLifetimeSeconds: 200, drainSeconds: 10 });
    state.acquire(request('a'), seconds(20));
    expect(state.nextWakeMs()).toBe(seconds(190));
  });

  it('is the end of life of an unused pod that is short-lived', () => {
    expect(readySession({ maxLifetimeSeconds: 60, idleTimeoutSeconds: 480 }).nextWakeMs()).toBe(seconds(60));
  });

  it('lies in the future after whatever was due has been done', () => {
    const state = readySession({ idleTimeoutSeconds: 60 });
    state.acquire(request('a'), seconds(20));
    for (let round = 0, nowMs = seconds(20); round < 200 && !state.stopRequested; round++) {
      nowMs = state.nextWakeMs();
      for (const { leaseId } of state.dueHolders(nowMs)) state.holderChecked(leaseId, 'unknown', nowMs);
      state.applyDeadlines(nowMs);
      if (!state.stopRequested) expect(state.nextWakeMs()).toBeGreaterThan(nowMs);
    }
    expect(state.data.stop?.kind).toBe('lifetime');
  });
});

describe('the idle deadline beside an external lease', () => {
  const idleSeconds = (state: SessionState) => ((state.idleDeadlineMs() ?? Infinity) - seconds(0)) / 1000;

  it('comes after its last use: holding is not using', () => {
    const state = readySession({ idleTimeoutSeconds: 60 });
    state.acquire(externalRequest('a'), seconds(20));
    expect(idleSeconds(state)).toBe(80);
    state.renew('a', seconds(50), seconds(55));
    expect(idleSeconds(state)).toBe(110);
    state.applyDeadlines(seconds(110));
    expect(state.data.stop).toMatchObject({ kind: 'idle', reason: 'idle for 60 s: held by a, but not used' });
    expect(state.drainDeadlineMs()).toBe(0);
  });

  it('does not come while somebody waits behind those who do not use theirs', () => {
    const state = readySession({ idleTimeoutSeconds: 60, maxConcurrentLeases: 1 });
    state.acquire(externalRequest('a'), seconds(20));
    state.acquire(request('b'), seconds(30));
    expect(state.idleDeadlineMs()).toBeUndefined();
  });

  it('does not come while one is taken with hold, nor while a workflow holds one', () => {
    const state = readySession({ idleTimeoutSeconds: 60 });
    state.acquire(externalRequest('a', { hold: true }), seconds(20));
    expect(state.idleDeadlineMs()).toBeUndefined();
    state.release('a', seconds(30));
    state.acquire(request('b'), seconds(31));
    state.acquire(externalRequest('c'), seconds(32));
    expect(state.idleDeadlineMs()).toBeUndefined();
  });
});
