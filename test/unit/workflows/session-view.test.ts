import { describe, expect, it } from 'vitest';
import {
  sessionRecordSchema,
  sessionStatusSchema,
  type SessionRecord,
  type SessionStatus,
} from '../../../src/contract/index.js';
import type { SessionState } from '../../../src/workflows/pod-session/session-state.js';
import {
  recordSoFar,
  sessionDetails,
  sessionRecord,
  sessionStatus,
} from '../../../src/workflows/pod-session/session-view.js';
import {
  bootingSession,
  FIRST_RUN,
  newSession,
  PRICE_USD,
  readySession,
  request,
  seconds,
  stopOf,
} from './session-fixture.js';

/** As other programs read it: after a journey through JSON, by the contract's schema. */
const statusOf = (state: SessionState, nowMs: number): SessionStatus =>
  sessionStatusSchema.parse(JSON.parse(JSON.stringify(sessionStatus(state.data, nowMs))));
const recordOf = (state: SessionState, nowMs: number): SessionRecord =>
  sessionRecordSchema.parse(JSON.parse(JSON.stringify(sessionRecord(state.data, nowMs))));
/** As a person reads it: Markdown's escapes are not shown. */
const detailsOf = (state: SessionState, nowMs: number): string =>
  sessionDetails(state.data, nowMs).replace(/\\(.)/g, '$1');

const iso = (second: number): string => new Date(seconds(second)).toISOString();

function usedSession(): SessionState {
  const state = readySession({ idleTimeoutSeconds: 100, project: 'shop' });
  state.acquire(request('a', { label: 'chat (job 1)', project: 'shop' }), seconds(20));
  state.acquire(request('b', { label: 'chat (job 2)' }), seconds(30));
  state.acquire(request('c'), seconds(31));
  return state;
}

describe('the status of a session', () => {
  it('of which nothing is rented yet has neither pod nor cost', () => {
    const status = statusOf(newSession(), seconds(1));
    expect(status).toMatchObject({
      session: 's',
      phase: 'creating',
      uptimeSeconds: 0,
      costUsd: 0,
      leases: [],
      queued: 0,
      jobsServed: 0,
    });
    expect([status.pod, status.endpoint, status.idleDeadline, status.stopReason]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(status.why).toContain('anna');
  });

  it('answers which pod, since when, at what price, and who uses it', () => {
    const status = statusOf(usedSession(), seconds(102));
    expect(status).toMatchObject({
      phase: 'ready',
      pod: {
        id: 'pod-1',
        name: 'devloop.x',
        gpu: 'NVIDIA GeForce RTX 4090',
        costPerHourUsd: PRICE_USD,
        createdAt: iso(2),
      },
      endpoint: 'http://endpoint',
      uptimeSeconds: 100,
      costUsd: 0.02,
      leases: [
        {
          leaseId: 'a',
          label: 'chat (job 1)',
          project: 'shop',
          grantedAt: iso(20),
          expiresAt: iso(320),
          lastUsedAt: iso(20),
          hold: false,
        },
        { leaseId: 'b', grantedAt: iso(30) },
      ],
      queued: 1,
      hardDeadline: iso(28_800),
      condemned: [],
    });
    expect(status.why).toMatch(/chat \(job 1\), chat \(job 2\).*1 waiting/);
  });

  it('says when an unused session stops, and who was the last', () => {
    const state = usedSession();
    for (const id of ['a', 'b', 'c']) state.release(id, seconds(60));
    const status = statusOf(state, seconds(70));
    expect(status).toMatchObject({ idleDeadline: iso(160), jobsServed: 3 });
    expect(status.why).toContain('12:02:40');
  });

  it('says the budget’s end when that comes first', () => {
    expect(statusOf(readySession({ maxCostUsd: PRICE_USD }), seconds(20)).hardDeadline).toBe(iso(3602));
  });

  it.each(['draining', 'stopping', 'stuck', 'stopped'] as const)('says why it ends while it is %s', (phase) => {
    const state = usedSession();
    state.requestStop(stopOf('asked', seconds(40)));
    state.enter(phase, seconds(40));
    const status = statusOf(state, seconds(50));
    expect(status).toMatchObject({ phase, stopReason: 'because asked' });
    expect(status.why).toContain('because asked');
  });

  it('counts nothing after the end of the pod', () => {
    const state = readySession();
    state.data.pod!.endedAtMs = seconds(102);
    expect(statusOf(state, seconds(5000))).toMatchObject({ uptimeSeconds: 100, costUsd: 0.02 });
  });

  it('does not change what it shows', () => {
    const state = usedSession();
    const before = JSON.stringify(state.data);
    statusOf(state, seconds(102));
    detailsOf(state, seconds(102));
    recordOf(state, seconds(102));
    expect(JSON.stringify(state.data)).toBe(before);
  });

  it('is sane when the pod was created after our clock’s now', () => {
    expect(statusOf(bootingSession(), seconds(0)).costUsd).toBe(0);
  });
});

describe('the record of a session', () => {
  it('tells the whole life', () => {
    const state = usedSession();
    state.release('a', seconds(60));
    state.requestStop(stopOf('asked', seconds(70)));
    state.enter('draining', seconds(70));
    state.revokeAll(seconds(90));
    state.enter('stopping', seconds(90));
    state.data.pod!.endedAtMs = seconds(102);
    state.enter('stopped', seconds(110));
    expect(recordOf(state, seconds(110))).toEqual({
      session: 's',
      firstRunId: FIRST_RUN,
      project: 'shop',
      startedBy: 'anna',
      startedAt: iso(0),
      endedAt: iso(110),
      phases: [
        { phase: 'creating', seconds: 2 },
        { phase: 'booting', seconds: 8 },
        { phase: 'ready', seconds: 60 },
        { phase: 'draining', seconds: 20 },
        { phase: 'stopping', seconds: 20 },
      ],
      pods: [
        {
          id: 'pod-1',
          name: 'devloop.x',
          gpu: 'NVIDIA GeForce RTX 4090',
          costPerHourUsd: PRICE_USD,
          createdAt: iso(2),
          readyAt: iso(10),
          endedAt: iso(102),
          busySeconds: 70,
          costUsd: 0.02,
        },
      ],
      costUsd: 0.02,
      leases: [
        { leaseId: 'a', project: 'shop', label: 'chat (job 1)', grantedAt: iso(20), seconds: 40, end: 'released' },
        { leaseId: 'b', label: 'chat (job 2)', grantedAt: iso(30), seconds: 60, end: 'revoked' },
        { leaseId: 'c', grantedAt: iso(60), seconds: 30, end: 'revoked' },
      ],
      jobsServed: 3,
      stopReason: 'because asked',
      unsettled: [],
    });
  });

  it('names the newest 50 leases, and has the sums of the others by project', () => {
    const state = readySession();
    for (let i = 0; i < 60; i++) {
      state.acquire(request(`l${i}`, i % 2 === 0 ? { project: 'shop' } : {}), seconds(20 + 2 * i));
      state.release(`l${i}`, seconds(21 + 2 * i));
    }
    const { leases, earlierLeases, pods } = recordOf(state, seconds(200));
    expect([leases.length, leases[0]?.leaseId]).toEqual([50, 'l10']);
    expect(earlierLeases).toEqual([
      { project: 'shop', leases: 5, seconds: 5 },
      { leases: 5, seconds: 5 },
    ]);
    expect(pods[0]?.busySeconds).toBe(60);
  });

  it('keeps the sums of so many projects only', () => {
    const state = readySession();
    for (let i = 0; i < 300; i++) {
      state.acquire(request(`l${i}`, { project: `p${i}` }), seconds(20));
      state.release(`l${i}`, seconds(21));
    }
    const { earlierLeases = [] } = recordOf(state, seconds(200));
    expect(earlierLeases).toHaveLength(201);
    expect(earlierLeases.at(-1)).toEqual({ leases: 50, seconds: 50 });
  });

  it('so far has the leases that are held, and the seconds of use up to now', () => {
    const state = usedSession();
    state.release('a', seconds(60));
    const soFar = sessionRecordSchema.parse(JSON.parse(JSON.stringify(recordSoFar(state.data, seconds(100)))));
    expect(soFar).toMatchObject({ endedAt: iso(100), pods: [{ endedAt: iso(100), busySeconds: 80 }] });
    expect(soFar.leases.map(({ leaseId, end, seconds: length }) => [leaseId, end, length])).toEqual([
      ['a', 'released', 40],
      ['b', 'held', 70],
      ['c', 'held', 40],
    ]);
  });

  it('does not take a lease of a lost pod for a use of the next one', () => {
    const state = readySession();
    state.data.mayHavePod = true;
    state.acquire(request('a'), seconds(20));
    state.podLost('gone', seconds(50));
    const pod = { id: 'pod-2', name: 'devloop.y', gpu: 'g', costPerHourUsd: 1, createdAtMs: seconds(60) };
    state.podCreated({ ...pod, createdAt: iso(60) }, seconds(60));
    state.podReady('http://other', seconds(80));
    state.release('a', seconds(95));
    expect(recordOf(state, seconds(100)).pods.map(({ busySeconds }) => busySeconds)).toEqual([30, 15]);
  });

  it('has phases that add up to its life', () => {
    const state = usedSession();
    state.requestStop(stopOf('asked', seconds(70)));
    state.enter('stopping', seconds(70));
    state.enter('stuck', seconds(200));
    state.enter('stopped', seconds(1000));
    const { phases } = recordOf(state, seconds(1000));
    expect(phases.reduce((sum, phase) => sum + phase.seconds, 0)).toBe(1000);
    expect(phases.map(({ phase }) => phase)).not.toContain('stopped');
  });

  it('of a session that rented nothing has no pod and no cost', () => {
    const state = newSession();
    state.requestStop(stopOf('failed', seconds(3), 'NO_CAPACITY'));
    state.enter('stopped', seconds(3));
    expect(recordOf(state, seconds(3))).toMatchObject({
      pods: [],
      costUsd: 0,
      leases: [],
      phases: [{ phase: 'creating', seconds: 3 }],
    });
  });
});

describe('the details in the Web UI', () => {
  it('answer the six questions', () => {
    const state = usedSession();
    state.release('a', seconds(60));
    const details = detailsOf(state, seconds(102));
    // Which pod, what does it cost, who uses it, why is it running, when will it stop, what happened before.
    expect(details).toContain('pod-1');
    expect(details).toContain('NVIDIA GeForce RTX 4090');
    expect(details).toMatch(/\$0\.72 an hour.*\$0\.0200 up to 12:01:42/);
    expect(details).toContain('chat (job 2)');
    expect(details).toContain('anna');
    expect(details).toContain('2026-06-01');
    expect(details).toContain('20:00:00');
    expect(details).toMatch(/12:00:00 creating\n.*12:00:02 booting\n.*12:00:10 ready/);
    expect(details).toMatch(/12:01:00 chat \(job 1\).* released after 40 s/);
  });

  it('say when an unused pod stops, and why a session ends', () => {
    const state = readySession({ idleTimeoutSeconds: 100 });
    expect(detailsOf(state, seconds(20))).toContain('12:01:50');
    state.requestStop(stopOf('asked', seconds(30)));
    state.enter('stopping', seconds(30));
    expect(detailsOf(state, seconds(40))).toContain('because asked');
  });

  it('say why the first choice of GPU was not taken, and only then', () => {
    const state = readySession();
    expect(detailsOf(state, seconds(20))).not.toContain('Passed over');
    state.data.pod = { ...state.data.pod!, passedOver: ['A: no stock', 'B: $2 an hour is above the limit of $1'] };
    expect(detailsOf(state, seconds(20))).toContain('**Passed over:** A: no stock; B: $2 an hour is above the limit');
  });

  it("show the limits that the operator's caps left", () => {
    const state = readySession({ maxLifetimeSeconds: 7200 });
    const limits = { maxPriceUsdPerHour: 1, maxCostUsd: 0.5, maxLifetimeSeconds: 3600 };
    state.data.plan = { ...state.data.plan!, limits };
    expect(detailsOf(state, seconds(20))).toContain('by the limits of 3600 s and $0.5');
  });

  it('say that the user pays for a pod that RunPod does not end', () => {
    const state = readySession();
    state.requestStop(stopOf('idle', seconds(30)));
    state.enter('stuck', seconds(200));
    expect(detailsOf(state, seconds(300))).toMatch(/RunPod does not end the pod.*for ever/);
  });

  it('let no name break their form', () => {
    const plain = readySession();
    plain.acquire(request('a', { label: 'plain' }), seconds(20));
    const odd = readySession();
    odd.acquire(request('a', { label: '| $1 |\n### free\n- **Cost:** $0 <b>' }), seconds(20));
    const shape = (state: SessionState): string[] =>
      sessionDetails(state.data, seconds(30))
        .split('\n')
        .map((line) => /^(### |- \*\*[^*]+\*\*|- |)/.exec(line)?.[0] ?? '');
    expect(shape(odd)).toEqual(shape(plain));
  });
});
