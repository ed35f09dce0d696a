import { describe, expect, it } from 'vitest';
import type { SessionStatus } from '../../../src/contract/index.js';
import { Store } from '../../../src/control/dashboard/page/store.js';
import { cost, loss, running, span, stop, usd, users } from '../../../src/control/dashboard/page/words.js';
import type { Overview } from '../../../src/control/overview/schemas.js';

const NOW = Date.UTC(2026, 10, 27, 12, 0, 0);
const at = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString();

const status = (change: Partial<SessionStatus> = {}): SessionStatus => ({
  session: 'train',
  phase: 'ready',
  pod: { id: 'p1', name: 'n', gpu: 'RTX', costPerHourUsd: 3.6, createdAt: at(-63) },
  condemned: [],
  uptimeSeconds: 63,
  costUsd: 0.063,
  leases: [],
  queued: 0,
  idleDeadline: at(192),
  hardDeadline: at(7200),
  why: 'Nobody uses it: it stops at 12:03:12 UTC: chat (agent-job/x) was the last user at 11:56:00.',
  jobsServed: 1,
  ...change,
});
const lease = (change: Partial<SessionStatus['leases'][number]> = {}): SessionStatus['leases'][number] => ({
  leaseId: 'l',
  holder: { kind: 'external' },
  label: 'my notebook',
  project: 'atlas',
  grantedAt: at(-60),
  expiresAt: at(60),
  lastUsedAt: at(0),
  hold: false,
  ...change,
});

describe('what the page says of a session', () => {
  it('is when it stops, by the nearest deadline, with the reason', () => {
    expect(stop(status())).toEqual({
      lead: 'stops at 12:03:12 UTC',
      atMs: NOW + 192_000,
      reason: 'chat (agent-job/x) was the last user at 11:56:00',
    });
    const { lead, reason } = stop(status({ hardDeadline: at(60) }));
    expect([lead, reason]).toEqual([
      'stops at 12:01:00 UTC at the latest',
      'nobody uses it; then its lifetime or its budget is over',
    ]);
    const booting = stop(status({ phase: 'booting', idleDeadline: undefined }));
    expect(booting.reason).toMatch(/^it is not ready yet; then/);
    const used = { leases: [lease()], idleDeadline: undefined };
    expect(stop(status(used))).toMatchObject({
      atMs: NOW + 7_200_000,
      reason: expect.stringMatching(/^it is in use/) as string,
    });
    const ending = stop(status({ phase: 'draining', stopReason: 'enough' }));
    expect(ending).toEqual({ lead: 'is stopping now', atMs: undefined, reason: 'enough' });
  });

  it('is what it costs, which grows by the second', () => {
    expect(cost(status(), NOW, NOW)).toBe('$0.0630 so far, $3.60 an hour');
    expect(cost(status(), NOW, NOW + 100_000)).toBe('$0.16 so far, $3.60 an hour');
    expect([usd(0), usd(0.0042), usd(12)]).toEqual(['$0.00', '$0.0042', '$12.00']);
  });

  it('is who uses it, who waits, and what they lose', () => {
    expect(users(status())).toBe('nobody');
    expect(users(status({ leases: [lease({ hold: true })], queued: 1 }))).toBe(
      'my notebook of project atlas, since 11:59:00 UTC, held on purpose. 1 more waits in the queue',
    );
    expect(loss(status())).toBe('Nobody uses session train: nothing is lost.');
    expect(loss(status({ queued: 2 }))).toBe('Nobody uses session train. 2 jobs in its queue will fail.');
    expect(loss(status({ leases: [lease()] }))).toMatch(/only its drain time .* It is used by:$/);
  });

  it('is its pod and its age', () => {
    expect(running(status(), NOW)).toBe('ready on RTX, pod p1, up 1:03');
    expect([span(-1), span(59.9), span(3600), span(86_400)]).toEqual(['0:00', '0:59', '1:00:00', '24:00:00']);
  });
});

describe('what the page knows', () => {
  const overview = (sessions: SessionStatus[], seconds = 0): Overview =>
    ({ at: at(seconds), sessions, unanswered: [], jobs: [], killers: [] }) as unknown as Overview;

  it('goes by the server’s clock', () => {
    const store = new Store();
    store.overviewTold(overview([], 3600), NOW, NOW);
    expect(store.now(NOW + 1000)).toBe(NOW + 3_601_000);
  });

  it('stands still while nothing is known, since the moment when it was', () => {
    const store = new Store();
    store.sessionTold(status(), NOW);
    store.failed('away');
    store.sessionTold(status(), NOW + 5000);
    store.failed('still away');
    expect(store.trouble).toEqual({ sinceMs: NOW, detail: 'still away' });
    expect(store.now(NOW + 60_000)).toBe(NOW);
    store.overviewTold(overview([status()]), NOW + 61_000, NOW + 61_000);
    expect(store.trouble).toBeUndefined();
  });

  it('is what an event said after a look had begun, not what that look saw', () => {
    const store = new Store();
    store.sessionTold(status(), NOW);
    expect(store.sessionTold(status({ phase: 'draining' }), NOW + 20)).toBe('Session train is draining.');
    store.overviewTold(overview([status()]), NOW + 10, NOW + 30);
    expect(store.sessions.get('train')?.status.phase).toBe('draining');
  });

  it('forgets a session that is no longer listed, and none that is too new to be', () => {
    const store = new Store();
    store.sessionTold(status(), NOW);
    store.overviewTold(overview([]), NOW + 1000, NOW + 1000);
    expect(store.names()).toEqual(['train']);
    store.overviewTold(overview([]), NOW + 5000, NOW + 5000);
    expect(store.names()).toEqual([]);
  });

  it('is that an ended session is over, and what it has cost', () => {
    const store = new Store();
    store.sessionTold(status(), NOW);
    expect(store.sessionTold(status({ phase: 'stopped', stopReason: 'enough' }), NOW)).toBe(
      'Session train has ended: enough. It cost $0.0630.',
    );
    expect(store.names()).toEqual([]);
  });

  it('tells that a session has ended, though a look missed it or could not ask it before', () => {
    const stopped = status({ phase: 'stopped', stopReason: 'enough' });
    const missed = new Store();
    missed.sessionTold(status(), NOW);
    missed.overviewTold(overview([]), NOW + 5000, NOW + 5000);
    expect(missed.names()).toEqual([]);
    expect(missed.sessionTold(stopped, NOW + 5100)).toMatch(/^Session train has ended: enough\./);
    const silent = new Store();
    silent.sessionTold(status(), NOW);
    silent.unansweredTold('train', 'a bad deploy', NOW + 1000);
    expect(silent.sessionTold(stopped, NOW + 2000)).toMatch(/^Session train has ended: enough\./);
  });

  it('tells a phase that a look saw before the event came, once', () => {
    const store = new Store();
    const draining = status({ phase: 'draining' });
    expect(store.sessionTold(status(), NOW)).toBeUndefined();
    store.overviewTold(overview([draining]), NOW + 1000, NOW + 1000);
    expect(store.sessionTold(draining, NOW + 1100)).toBe('Session train is draining.');
    expect(store.sessionTold(draining, NOW + 2000)).toBeUndefined();
  });

  it('is that a session is over, whatever a look saw that had begun before its end', () => {
    const store = new Store();
    store.sessionTold(status({ phase: 'stopping' }), NOW);
    store.sessionTold(status({ phase: 'stopped' }), NOW + 20);
    store.overviewTold(overview([status({ phase: 'stopping' })]), NOW + 10, NOW + 30);
    expect(store.names()).toEqual([]);
    store.overviewTold(overview([status({ phase: 'creating' })]), NOW + 5000, NOW + 5010);
    expect(store.names()).toEqual(['train']);
    expect(store.sessionTold(status({ phase: 'creating' }), NOW + 5100)).toBeUndefined();
  });
});
