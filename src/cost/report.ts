import type { CostReport } from './cost-report.js';
import { byDay, dayOf, dayStart } from './days.js';
import { sum, toUsd, type Nanos } from './money.js';
import { costOfSession, type SessionCost } from './session-cost.js';
import type { SessionFacts } from './session-facts.js';

const MAX_JOBS = 100;

/** Sessions, and what is not known of others. */
export interface KnownSessions {
  readonly sessions: readonly SessionFacts[];
  readonly problems: readonly string[];
}

type Costed = SessionCost & { readonly facts: SessionFacts };

/** @param sinceMs the report begins with the day of this moment, UTC */
export function costReport({ sessions, problems }: KnownSessions, sinceMs: number, untilMs: number): CostReport {
  const fromMs = dayStart(sinceMs);
  const inTime = sessions.filter(({ startedAt, endedAt }) => {
    return Date.parse(endedAt) >= fromMs && Date.parse(startedAt) <= untilMs;
  });
  const days = { from: dayOf(fromMs), to: dayOf(untilMs) };
  const costed = inTime.map((facts): Costed => ({ facts, ...costOfSession(facts, days) }));
  return {
    since: new Date(fromMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    totalUsd: toUsd(sum(costed.map(({ nanos }) => nanos))),
    perHourNowUsd: sum(inTime.flatMap(livingPods).map(({ costPerHourUsd }) => costPerHourUsd)),
    shares: kindsOf(costed),
    perDay: byDay(fromMs, untilMs).map(({ day }) => ofDay(day, costed)),
    perProject: perProject(costed),
    perGpu: perGpu(costed),
    sessions: costed.map(ofSession).sort((a, b) => b.startedAt.localeCompare(a.startedAt)),
    jobs: perJob(costed),
    problems: [...inTime.flatMap(unrecorded), ...problems],
  };
}

function unrecorded({ unrecorded: left, session, state, startedAt, endedAt }: SessionFacts): string[] {
  if (!left) return [];
  const { lastPodId, costUsd } = left;
  const pod = lastPodId === undefined ? 'no pod of it is known' : `its last pod was ${lastPodId}`;
  const cost = costUsd === undefined ? 'what it cost is' : `the $${costUsd} that it cost are`;
  const life = `${startedAt} to ${endedAt}`;
  return [`session "${session}" (${life}) was ${state} and left no record: ${pod}, ${cost} not in the figures`];
}

/** A record so far lets living pods end with it. */
function livingPods({ state, pods, endedAt }: SessionFacts): SessionFacts['pods'] {
  return state === 'running' ? pods.filter((pod) => pod.endedAt === endedAt) : [];
}

function kindsOf(costs: readonly SessionCost[]): CostReport['shares'] {
  const pods = costs.flatMap((cost) => cost.pods);
  const total = (kind: 'busy' | 'boot' | 'idle'): number => toUsd(sum(pods.map((pod) => pod[kind])));
  return { busyUsd: total('busy'), bootUsd: total('boot'), idleUsd: total('idle') };
}

function ofDay(day: string, costed: readonly Costed[]): CostReport['perDay'][number] {
  const projects = new Map<string, Nanos>();
  for (const { project, byDay: days } of costed.flatMap(({ bearers }) => bearers)) {
    const nanos = days.get(day) ?? 0;
    if (nanos > 0) projects.set(project, (projects.get(project) ?? 0) + nanos);
  }
  const byProject = [...projects].map(([project, nanos]) => ({ project, usd: toUsd(nanos) })).sort(dearestFirst);
  return { day, usd: toUsd(sum(projects.values())), byProject };
}

function perProject(costed: readonly Costed[]): CostReport['perProject'] {
  const sums = new Map<string, { nanos: Nanos; leaseSeconds: number; leases: number }>();
  for (const { project, nanos, leaseSeconds, leases } of costed.flatMap(({ bearers }) => bearers)) {
    const { nanos: n, leaseSeconds: s, leases: l } = sums.get(project) ?? { nanos: 0, leaseSeconds: 0, leases: 0 };
    sums.set(project, { nanos: n + nanos, leaseSeconds: s + leaseSeconds, leases: l + leases });
  }
  const rows = [...sums].map(([project, { nanos, ...of }]) => ({ project, usd: toUsd(nanos), ...of }));
  return rows.sort(dearestFirst);
}

function perGpu(costed: readonly Costed[]): CostReport['perGpu'] {
  const sums = new Map<string, { nanos: Nanos; ms: number }>();
  for (const { gpu, nanos, ms } of costed.flatMap(({ pods }) => pods)) {
    const { nanos: n, ms: m } = sums.get(gpu) ?? { nanos: 0, ms: 0 };
    sums.set(gpu, { nanos: n + nanos, ms: m + ms });
  }
  const rows = [...sums].map(([gpu, { nanos, ms }]) => ({ gpu, usd: toUsd(nanos), podSeconds: ms / 1000 }));
  return rows.sort(dearestFirst);
}

/** A job that lost a pod had several leases, on one session or on two of the same name. */
function perJob(costed: readonly Costed[]): CostReport['jobs'] {
  const sums = new Map<string, CostReport['jobs'][number] & { nanos: Nanos; newest: string }>();
  for (const { facts, bearers } of costed) {
    for (const { jobId, project, nanos, leaseSeconds, grantedAt = '' } of bearers) {
      if (jobId === undefined) continue;
      const known = sums.get(jobId);
      const all = (known?.nanos ?? 0) + nanos;
      sums.set(jobId, {
        jobId,
        session: facts.session,
        project,
        usd: toUsd(all),
        leaseSeconds: (known?.leaseSeconds ?? 0) + leaseSeconds,
        nanos: all,
        newest: grantedAt > (known?.newest ?? '') ? grantedAt : (known?.newest ?? ''),
      });
    }
  }
  const newestFirst = [...sums.values()].sort((a, b) => b.newest.localeCompare(a.newest));
  return newestFirst.slice(0, MAX_JOBS).map(({ jobId, session, project, usd, leaseSeconds }) => {
    return { jobId, session, project, usd, leaseSeconds };
  });
}

function ofSession(cost: Costed): CostReport['sessions'][number] {
  const { session, project, startedAt, endedAt, state } = cost.facts;
  const live = state === 'running';
  return {
    session,
    project,
    startedAt,
    ...(live ? {} : { endedAt }),
    live,
    usd: toUsd(cost.nanos),
    podSeconds: sum(cost.pods.map(({ ms }) => ms)) / 1000,
    ...kindsOf([cost]),
  };
}

function dearestFirst(a: { readonly usd: number }, b: { readonly usd: number }): number {
  return b.usd - a.usd;
}
