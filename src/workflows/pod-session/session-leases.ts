import { EXTERNAL_LEASE_TTL_SECONDS, WORKFLOW_LEASE_TTL_SECONDS, type AcquiredLease } from '../../contract/index.js';
import { noteUse } from './session-pods.js';
import type { EndedLease, SessionData, SessionLease } from './session-data.js';

/** The record has the newest of them. */
const MAX_ENDED_LEASES = 50;
/** Of others only the sum is kept, as of those without a project: what continue-as-new carries is bounded. */
const MAX_PROJECTS = 200;

export function leaseOf({ leases }: SessionData, leaseId: string): SessionLease | undefined {
  return leases.find((held) => held.leaseId === leaseId);
}

export function ttlMs(lease: AcquiredLease): number {
  const fallback = lease.holder.kind === 'workflow' ? WORKFLOW_LEASE_TTL_SECONDS : EXTERNAL_LEASE_TTL_SECONDS;
  return (lease.ttlSeconds ?? fallback) * 1000;
}

/** A job is served, or given up. Unknown leases are ignored. */
export function endLease(data: SessionData, leaseId: string, end: EndedLease['end'], nowMs: number): void {
  const lease = leaseOf(data, leaseId);
  if (!lease) return;
  removeLease(data, lease, end, nowMs);
  data.jobsServed += 1;
  // A holder that is gone was last known to be there when its lease was renewed, not when we found out.
  const atMs = end === 'holder-gone' ? lease.lastUsedAtMs : nowMs;
  if (atMs >= (data.lastUse?.atMs ?? 0)) data.lastUse = { atMs, by: lease.label ?? lease.leaseId };
}

/** Takes it out of the list and into the record. */
export function removeLease(data: SessionData, lease: SessionLease, end: EndedLease['end'], nowMs: number): void {
  data.leases = data.leases.filter((held) => held !== lease);
  const { leaseId, project, label, grantedAtMs } = lease;
  data.endedLeases.push({ leaseId, project, label, grantedAtMs, endedAtMs: nowMs, end });
  const older = data.endedLeases.splice(0, data.endedLeases.length - MAX_ENDED_LEASES);
  for (const ended of older) addEarlier(data, ended);
  noteUse(data, nowMs);
}

function addEarlier(data: SessionData, { project, grantedAtMs, endedAtMs }: EndedLease): void {
  const sums = (data.earlierLeases ??= []);
  const of = (name: string | undefined) => sums.find((sum) => sum.project === name);
  let sum = of(project) ?? (sums.length < MAX_PROJECTS ? undefined : of(undefined));
  if (!sum) sums.push((sum = { project: sums.length < MAX_PROJECTS ? project : undefined, leases: 0, ms: 0 }));
  sum.leases += 1;
  sum.ms += endedAtMs - grantedAtMs;
}
