import { byDay } from './days.js';
import { shareOut, sum, toNanos, type Nanos } from './money.js';
import type { SessionFacts } from './session-facts.js';

const HOUR_MS = 3_600_000;

/** Costs and times of one pod within the days asked for. */
export interface PodCost {
  readonly id: string;
  readonly gpu: string;
  readonly byDay: ReadonlyMap<string, Nanos>;
  readonly nanos: Nanos;
  readonly ms: number;
  readonly busy: Nanos;
  readonly boot: Nanos;
  readonly idle: Nanos;
}

/** Who bears a part of a session's cost: a lease, all earlier leases of one project, or nobody's use. */
export interface Bearer {
  readonly jobId?: string | undefined;
  readonly project: string;
  readonly grantedAt?: string | undefined;
  /** 0: nobody used the session. */
  readonly leases: number;
  readonly leaseSeconds: number;
  readonly byDay: ReadonlyMap<string, Nanos>;
  readonly nanos: Nanos;
}

export interface SessionCost {
  readonly pods: readonly PodCost[];
  readonly bearers: readonly Bearer[];
  readonly nanos: Nanos;
}

/** First and last day, `2026-11-27`. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** Where neither a lease nor its session names a project. */
export const NO_PROJECT = 'none';

/**
 * The cost of a session's pods, and who bears it: its leases, in the ratio of their seconds, whatever of it was boot or idle
 * time. Without a lease it is the session's own project's. Exact: pods, days and bearers each add up to the whole.
 * @param days others are left out; what is left is divided in the same ratios
 */
export function costOfSession(facts: SessionFacts, days: Days): SessionCost {
  const pods = facts.pods.map((pod) => costOfPod(pod, days));
  const perDay = new Map<string, Nanos>();
  for (const pod of pods) for (const [day, nanos] of pod.byDay) perDay.set(day, (perDay.get(day) ?? 0) + nanos);
  const claims = claimsOn(facts);
  const shares = claims.map(() => new Map<string, Nanos>());
  for (const [day, nanos] of perDay) {
    const seconds = claims.map(({ leaseSeconds }) => leaseSeconds);
    shareOut(nanos, seconds).forEach((share, i) => shares[i]?.set(day, share));
  }
  const bearers = claims.map((claim, i) => {
    const share = shares[i] ?? new Map<string, Nanos>();
    return { ...claim, byDay: share, nanos: sum(share.values()) };
  });
  return { pods, bearers, nanos: sum(pods.map(({ nanos }) => nanos)) };
}

function claimsOn({ project, pods, leases, earlierLeases }: SessionFacts): Omit<Bearer, 'byDay' | 'nanos'>[] {
  const claims = [
    ...earlierLeases.map((earlier) => {
      return { project: earlier.project ?? NO_PROJECT, leases: earlier.leases, leaseSeconds: earlier.seconds };
    }),
    ...leases.map(({ jobId, project: of = NO_PROJECT, grantedAt, seconds }) => {
      return { jobId, project: of, grantedAt, leases: 1, leaseSeconds: seconds };
    }),
  ];
  if (claims.length > 0 || pods.length === 0) return claims;
  return [{ project: project ?? NO_PROJECT, leases: 0, leaseSeconds: 0 }];
}

function costOfPod(pod: SessionFacts['pods'][number], { from, to }: Days): PodCost {
  const createdMs = Date.parse(pod.createdAt);
  const endedMs = Math.max(createdMs, Date.parse(pod.endedAt));
  const lifeMs = endedMs - createdMs;
  const pieces = byDay(createdMs, endedMs);
  const whole = toNanos((lifeMs / HOUR_MS) * pod.costPerHourUsd);
  const costs = shareOut(
    whole,
    pieces.map(({ ms }) => ms),
  );
  const kept = pieces
    .map(({ day, ms }, i) => ({ day, ms, nanos: costs[i] ?? 0 }))
    .filter(({ day }) => from <= day && day <= to);
  const nanos = sum(kept.map((piece) => piece.nanos));
  const bootMs = pod.readyAt === undefined ? lifeMs : Math.min(lifeMs, Date.parse(pod.readyAt) - createdMs);
  const busyMs = Math.min(lifeMs - bootMs, (pod.busySeconds ?? 0) * 1000);
  const [busy = 0, boot = 0, idle = 0] = shareOut(nanos, [busyMs, bootMs, lifeMs - bootMs - busyMs]);
  return {
    id: pod.id,
    gpu: pod.gpu,
    byDay: new Map(kept.map((piece) => [piece.day, piece.nanos])),
    nanos,
    ms: sum(kept.map(({ ms }) => ms)),
    ...(lifeMs > 0 ? { busy, boot, idle } : { busy: 0, boot: nanos, idle: 0 }),
  };
}
