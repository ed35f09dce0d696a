import type { AcquiredLease } from '../../contract/index.js';
import type { SessionData, SessionLease, SessionStop, StopKind } from './session-data.js';
import { endDeadline } from './session-deadlines.js';
import { removeLease } from './session-leases.js';
import { postRevoke } from './session-news.js';
import { condemn, whyNoOther } from './session-pods.js';

const MAX_NOTED_LOSSES = 10;
/** Ends after which nobody has to be told no. */
const REOPENING: readonly StopKind[] = ['idle', 'lost', 'nobody-left'];

/** Somebody uses the pod or waits for it. */
export function isWanted({ leases, queue }: SessionData): boolean {
  return leases.length + queue.length > 0;
}

/** A session whose pod does not end may take requests for another one. */
export function mayReopen(data: SessionData, nowMs: number): boolean {
  const { phase, stop } = data;
  if (phase !== 'stuck' || !stop || nowMs >= endDeadline(data).atMs) return false;
  return REOPENING.includes(stop.kind) && whyNoOther(data, nowMs) === undefined;
}

/** The pod in service is lost. @returns why the session ends; undefined: the pod is given up for another one */
export function lostPod(data: SessionData, why: string, nowMs: number): SessionStop | undefined {
  data.lossesMs = [...(data.lossesMs ?? []), nowMs].slice(-MAX_NOTED_LOSSES);
  const reason = `the pod was lost: ${why}`;
  return isWanted(data) ? replacePod(data, reason, 'POD_LOST', nowMs) : { kind: 'lost', reason, atMs: nowMs };
}

/** The pod did not come up. @returns as `lostPod` */
export function failedBoot(data: SessionData, why: string, code: string, nowMs: number): SessionStop | undefined {
  data.failedBoots = (data.failedBoots ?? 0) + 1;
  return isWanted(data) ? replacePod(data, why, code, nowMs) : { kind: 'failed', code, reason: why, atMs: nowMs };
}

function replacePod(data: SessionData, why: string, code: string, nowMs: number): SessionStop | undefined {
  const tooMany = whyNoOther(data, nowMs);
  if (tooMany !== undefined) return { kind: 'failed', code, reason: `${why} (${tooMany})`, atMs: nowMs };
  // In the order of their grants, before everybody who has had no pod yet.
  data.queue = [...data.leases.map((lease) => takeBack(data, lease, why, nowMs)), ...data.queue];
  condemn(data, why, nowMs);
  data.givenUpWhy = why;
  return undefined;
}

/** Its holder did nothing wrong: it keeps its place and is told to stop what it does. */
function takeBack(data: SessionData, lease: SessionLease, why: string, nowMs: number): AcquiredLease {
  postRevoke(data, lease, why);
  removeLease(data, lease, 'revoked', nowMs);
  const { leaseId, holder, ttlSeconds, project, label, hold } = lease;
  return { leaseId, holder, ttlSeconds, project, label, hold };
}
