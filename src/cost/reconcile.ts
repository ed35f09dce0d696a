import { byDay, dayOf, dayStart } from './days.js';
import { toUsd } from './money.js';
import { costOfSession } from './session-cost.js';
import type { SessionFacts } from './session-facts.js';

/** RunPod charges every five minutes, and its report may lag one turn: seconds younger than this may not be on the bill. */
export const UNBILLED_SECONDS = 600;
const TOLERANCE_USD = 0.01;

/** What RunPod bills for one pod and one day, without its disks, which the price an hour does not have either. */
export interface Billed {
  readonly podId: string;
  readonly day: string;
  readonly computeUsd: number;
  readonly diskUsd: number;
}

/**
 * `same`: within a cent, but for what may not be billed yet. `unknown`: no session of ours had the pod. `foreign`: unknown too,
 * but RunPod still lists it under the name of somebody else.
 */
export type BillVerdict = 'same' | 'different' | 'unknown' | 'foreign';

export interface BillLine {
  readonly day: string;
  readonly podId: string;
  readonly session?: string | undefined;
  readonly name?: string | undefined;
  readonly oursUsd: number;
  readonly billedUsd: number;
  readonly diskUsd: number;
  readonly differenceUsd: number;
  readonly unbilledUsd: number;
  readonly verdict: BillVerdict;
}

export interface Bills {
  readonly sessions: readonly SessionFacts[];
  readonly billed: readonly Billed[];
  /** Name of a pod that RunPod still lists, and whether that is one of ours. */
  readonly nameOf: (podId: string) => { readonly name: string; readonly ours: boolean } | undefined;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Our costs beside RunPod's bill, for each pod and day that either has; oldest first. */
export function reconcile({ sessions, billed, nameOf, sinceMs, untilMs }: Bills): BillLine[] {
  const ours = ourDays(sessions, sinceMs, untilMs);
  const theirs = new Map(billed.map((one) => [key(one), one]));
  const owners = ownersOf(sessions);
  const inTime = billed.filter(({ day }) => day >= dayOf(sinceMs) && day <= dayOf(untilMs));
  const lines = new Map([...inTime, ...ours.values()].map((one) => [key(one), one]));
  return [...lines.values()]
    .map(({ podId, day }): BillLine => {
      const { usd: oursUsd = 0, unbilledUsd = 0 } = ours.get(key({ podId, day })) ?? {};
      const { computeUsd: billedUsd = 0, diskUsd = 0 } = theirs.get(key({ podId, day })) ?? {};
      const session = owners.get(podId);
      const listed = nameOf(podId);
      const differenceUsd = billedUsd - oursUsd;
      const isSame = differenceUsd <= TOLERANCE_USD && -differenceUsd <= TOLERANCE_USD + unbilledUsd;
      const stranger = listed && !listed.ours ? 'foreign' : 'unknown';
      const verdict = session === undefined ? stranger : isSame ? 'same' : 'different';
      const facts = { day, podId, session, name: listed?.name, oursUsd, billedUsd, diskUsd };
      return { ...facts, differenceUsd, unbilledUsd, verdict };
    })
    .sort((a, b) => a.day.localeCompare(b.day) || a.podId.localeCompare(b.podId));
}

/** Whether somebody should look. */
export function wantsAttention({ verdict }: BillLine): boolean {
  return verdict === 'different' || verdict === 'unknown';
}

const key = ({ podId, day }: { readonly podId: string; readonly day: string }): string => `${day} ${podId}`;

function ownersOf(sessions: readonly SessionFacts[]): Map<string, string> {
  return new Map(
    sessions.flatMap(({ session, pods, unrecorded }) => {
      const last = unrecorded?.lastPodId;
      return [...pods.map(({ id }) => id), ...(last === undefined ? [] : [last])].map((id) => [id, session] as const);
    }),
  );
}

function ourDays(sessions: readonly SessionFacts[], sinceMs: number, untilMs: number) {
  const days = { from: dayOf(sinceMs), to: dayOf(untilMs) };
  const found = new Map<string, { podId: string; day: string; usd: number; unbilledUsd: number }>();
  for (const facts of sessions) {
    const prices = new Map(facts.pods.map(({ id, costPerHourUsd, endedAt }) => [id, { costPerHourUsd, endedAt }]));
    for (const { id, byDay: costs } of costOfSession(facts, days).pods) {
      for (const [day, nanos] of costs) {
        const { costPerHourUsd = 0, endedAt = '' } = prices.get(id) ?? {};
        const unbilledUsd = (unbilledSeconds(day, Date.parse(endedAt), untilMs) / 3600) * costPerHourUsd;
        found.set(key({ podId: id, day }), { podId: id, day, usd: toUsd(nanos), unbilledUsd });
      }
    }
  }
  return found;
}

/** Seconds of a pod's day that RunPod may not have billed by then. */
function unbilledSeconds(day: string, endedMs: number, nowMs: number): number {
  const fromMs = nowMs - UNBILLED_SECONDS * 1000;
  if (endedMs <= fromMs) return 0;
  const pieces = byDay(Math.max(fromMs, dayStart(Date.parse(day))), endedMs);
  return (pieces.find((piece) => piece.day === day)?.ms ?? 0) / 1000;
}
