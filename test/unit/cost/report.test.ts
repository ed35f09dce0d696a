import { describe, expect, it } from 'vitest';
import { costReportSchema, sinceMs, sinceSchema, type CostReport } from '../../../src/cost/cost-report.js';
import { costReport } from '../../../src/cost/report.js';
import type { SessionFacts } from '../../../src/cost/session-facts.js';
import { at, leaseOf, podOf, sessionOf } from './session-story.js';

const UNTIL = Date.parse(at('03T08:00:00'));
const report = (...sessions: SessionFacts[]): CostReport =>
  costReportSchema.parse(costReport({ sessions, problems: [] }, Date.parse(at('01T09:00:00')), UNTIL));
const projects = ({ perProject }: CostReport) => perProject.map(({ project, usd }) => [project, usd]);
const total = (rows: readonly { usd: number }[]): number => rows.reduce((sum, { usd }) => sum + usd, 0);

describe('who bears the cost of a session', () => {
  it('its leases, in the ratio of their seconds, also where they overlap', () => {
    const costs = report(sessionOf({ leases: [leaseOf('shop', 1800, 'a'), leaseOf('lab', 600, 'b')] }));
    expect(projects(costs)).toEqual([
      ['shop', 0.54],
      ['lab', 0.18],
    ]);
    expect(costs.jobs).toEqual([
      { jobId: 'a', session: 'train', project: 'shop', usd: 0.54, leaseSeconds: 1800 },
      { jobId: 'b', session: 'train', project: 'lab', usd: 0.18, leaseSeconds: 600 },
    ]);
    expect(costs.shares).toEqual({ busyUsd: 0.36, bootUsd: 0.12, idleUsd: 0.24 });
  });

  it('without a lease its own project, or none', () => {
    const unused = podOf({ busySeconds: 0 });
    expect(report(sessionOf({ pods: [unused] })).perProject).toEqual([
      { project: 'lab', usd: 0.72, leaseSeconds: 0, leases: 0 },
    ]);
    expect(projects(report(sessionOf({ project: undefined, pods: [unused] })))).toEqual([['none', 0.72]]);
  });

  it('leases that are no longer named as much as others', () => {
    const earlierLeases = [
      { project: 'shop', leases: 100, seconds: 900 },
      { leases: 3, seconds: 300 },
    ];
    const costs = report(sessionOf({ earlierLeases, leases: [leaseOf('shop', 600, 'a')] }));
    expect(costs.perProject).toEqual([
      { project: 'shop', usd: 0.6, leaseSeconds: 1500, leases: 101 },
      { project: 'none', usd: 0.12, leaseSeconds: 300, leases: 3 },
    ]);
  });

  it('leases of no time bear alike', () => {
    expect(projects(report(sessionOf({ leases: [leaseOf('a', 0), leaseOf('b', 0)] })))).toEqual([
      ['a', 0.36],
      ['b', 0.36],
    ]);
  });

  it('a job that lost a pod has the sum of its leases', () => {
    const first = sessionOf({ leases: [leaseOf('shop', 60, 'a')] });
    const second = sessionOf({ leases: [leaseOf('shop', 40, 'a')] });
    expect(report(first, second).jobs).toEqual([
      { jobId: 'a', session: 'train', project: 'shop', usd: 1.44, leaseSeconds: 100 },
    ]);
  });
});

describe('what pods did', () => {
  it('one that never served booted for its whole life', () => {
    expect(report(sessionOf({ pods: [podOf({ readyAt: undefined, busySeconds: 0 })] })).shares).toEqual({
      busyUsd: 0,
      bootUsd: 0.72,
      idleUsd: 0,
    });
  });

  it('several pods count each for itself', () => {
    const second = podOf({
      id: 'pod-2',
      gpu: 'A40',
      costPerHourUsd: 0.36,
      readyAt: at('01T12:00:00'),
      busySeconds: 3600,
    });
    const costs = report(sessionOf({ pods: [podOf(), second] }));
    expect(costs.totalUsd).toBe(1.08);
    expect(costs.perGpu).toEqual([
      { gpu: 'RTX 4090', usd: 0.72, podSeconds: 3600 },
      { gpu: 'A40', usd: 0.36, podSeconds: 3600 },
    ]);
    expect(costs.shares).toEqual({ busyUsd: 0.72, bootUsd: 0.12, idleUsd: 0.24 });
  });

  it('a pod whose clock went backwards costs nothing', () => {
    expect(report(sessionOf({ pods: [podOf({ endedAt: at('01T11:00:00') })] })).totalUsd).toBe(0);
  });

  it('those that live now cost by the hour', () => {
    const now = new Date(UNTIL).toISOString();
    const gone = podOf({ id: 'pod-0', endedAt: at('02T23:00:00'), createdAt: at('02T22:00:00') });
    const alive = podOf({ createdAt: at('03T07:00:00'), readyAt: at('03T07:10:00'), endedAt: now });
    const costs = report(sessionOf({ state: 'running', endedAt: now, pods: [gone, alive] }));
    expect(costs.perHourNowUsd).toBe(0.72);
    expect(costs.sessions).toMatchObject([{ live: true, usd: 1.44 }]);
    expect(costs.sessions[0]).not.toHaveProperty('endedAt');
  });
});

describe('days', () => {
  const overMidnight = (change: Partial<SessionFacts> = {}): SessionFacts =>
    sessionOf({
      endedAt: at('02T02:00:00'),
      pods: [podOf({ createdAt: at('01T22:00:00'), readyAt: at('01T22:00:00'), endedAt: at('02T02:00:00') })],
      leases: [leaseOf('shop', 100), leaseOf('lab', 200), leaseOf('x', 33)],
      ...change,
    });

  it('are all there, and a pod over midnight is cut there', () => {
    const costs = report(overMidnight());
    expect(costs.perDay.map(({ day, usd }) => [day, usd])).toEqual([
      ['2026-06-01', 1.44],
      ['2026-06-02', 1.44],
      ['2026-06-03', 0],
    ]);
    expect(costs.perDay[0]?.byProject.map(({ project }) => project)).toEqual(['lab', 'shop', 'x']);
    expect(costs.since).toBe(at('01T00:00:00'));
  });

  it('before the first one are left out, in the same ratios', () => {
    const yesterday = podOf({ createdAt: '2026-05-31T23:00:00.000Z', readyAt: undefined, endedAt: at('01T01:00:00') });
    const costs = report(sessionOf({ pods: [yesterday], leases: [leaseOf('shop', 30), leaseOf('lab', 10)] }));
    expect([costs.totalUsd, ...projects(costs).flat()]).toEqual([0.72, 'shop', 0.54, 'lab', 0.18]);
    expect(costs.sessions).toMatchObject([{ usd: 0.72, podSeconds: 3600 }]);
  });

  it('and a session that ended before them is not there at all', () => {
    expect(report(sessionOf({ endedAt: '2026-05-31T23:59:59.000Z' })).sessions).toEqual([]);
  });

  it('projects, GPUs, kinds and jobs add up to the same', () => {
    const odd = podOf({ costPerHourUsd: 0.7177, endedAt: at('02T01:17:23.777'), busySeconds: 1234.567 });
    const leases = [leaseOf('a', 11.3, 'j1'), leaseOf('b', 7.7, 'j2'), leaseOf('c', 1 / 3, 'j3')];
    const costs = report(overMidnight(), sessionOf({ pods: [odd, podOf({ id: 'p', costPerHourUsd: 1 / 3 })], leases }));
    const { busyUsd, bootUsd, idleUsd } = costs.shares;
    const sums = [total(costs.perDay), total(costs.perProject), total(costs.perGpu), total(costs.sessions)];
    for (const sum of [...sums, busyUsd + bootUsd + idleUsd]) expect(sum).toBeCloseTo(costs.totalUsd, 11);
    const perDay = costs.perDay.flatMap(({ byProject }) => byProject);
    for (const { project, usd } of costs.perProject)
      expect(total(perDay.filter((row) => row.project === project))).toBeCloseTo(usd, 11);
  });
});

describe('how far back', () => {
  it.each([
    ['7d', 604_800_000],
    ['36h', 129_600_000],
  ])('%s', (text, ms) => {
    expect(sinceMs(sinceSchema.parse(text))).toBe(ms);
  });

  it.each(['', '7', '0d', '-1d', '1w', '7d ', '1.5d', '9999d'])('not %j', (text) => {
    expect(sinceSchema.safeParse(text).success).toBe(false);
  });
});
