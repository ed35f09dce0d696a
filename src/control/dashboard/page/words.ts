import type { LeaseStatus, SessionStatus } from '../../../contract/session.js';

/** `12:04:09 UTC`. */
export function clock(at: string | number): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`;
}

/** `3:12`, or `1:03:12` from an hour on. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number: number): string => String(number).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Cents, and of less than ten cents as much as shows that it grows. */
export function usd(amount: number): string {
  return `$${amount.toFixed(amount > 0 && amount < 0.1 ? 4 : 2)}`;
}

export function count(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? '' : 's'}`;
}

/** Pod, phase and age of a session. */
export function running({ phase, pod }: SessionStatus, nowMs: number): string {
  if (pod === undefined) return `${phase}, no pod yet`;
  return `${phase} on ${pod.gpu}, pod ${pod.id}, up ${span((nowMs - Date.parse(pod.createdAt)) / 1000)}`;
}

/** Cost so far, ticking, and per hour. */
export function cost(status: SessionStatus, toldMs: number, nowMs: number): string {
  if (status.pod === undefined) return 'nothing yet';
  return `${usd(costNow(status, toldMs, nowMs))} so far, ${usd(status.pod.costPerHourUsd)} an hour`;
}

/** What it has cost up to now, for a status that was right at `toldMs`. */
export function costNow({ costUsd, pod, phase }: SessionStatus, toldMs: number, nowMs: number): number {
  if (pod === undefined || phase === 'stopped') return costUsd;
  return costUsd + (Math.max(0, nowMs - toldMs) / 3_600_000) * pod.costPerHourUsd;
}

export function holder({ label, leaseId, project, grantedAt, hold }: LeaseStatus): string {
  const whose = project === undefined ? '' : ` of project ${project}`;
  return `${label ?? leaseId}${whose}, since ${clock(grantedAt)}${hold ? ', held on purpose' : ''}`;
}

/** Who uses a session and who waits for it. */
export function users({ leases, queued }: SessionStatus): string {
  const holders = leases.length === 0 ? 'nobody' : leases.map(holder).join('; ');
  return queued === 0 ? holders : `${holders}. ${queued} more ${queued === 1 ? 'waits' : 'wait'} in the queue`;
}

export interface Stop {
  /** Before the countdown. */
  readonly lead: string;
  /** Milliseconds since the epoch; undefined: there is nothing to count down to. */
  readonly atMs: number | undefined;
  /** After the countdown. */
  readonly reason: string;
}

/** When a session stops, and why then. */
export function stop(status: SessionStatus): Stop {
  const { phase, idleDeadline, hardDeadline, why, stopReason } = status;
  const hardMs = Date.parse(hardDeadline);
  if (phase === 'draining' || phase === 'stopping' || phase === 'stuck' || phase === 'stopped') {
    return { lead: 'is stopping now', atMs: undefined, reason: stopReason ?? why };
  }
  const idleMs = idleDeadline === undefined ? Infinity : Date.parse(idleDeadline);
  if (idleMs <= hardMs) {
    return { lead: `stops at ${clock(idleMs)}`, atMs: idleMs, reason: idleReason(why) };
  }
  const isUsed = status.leases.length > 0;
  const use = isUsed ? 'it is in use' : phase === 'ready' ? 'nobody uses it' : 'it is not ready yet';
  const reason = `${use}; then its lifetime or its budget is over`;
  return { lead: `stops at ${clock(hardMs)} at the latest`, atMs: hardMs, reason };
}

/** The session's own sentence without what stands in front of the reason. */
function idleReason(why: string): string {
  const [, reason] = /\d UTC: (.*?)\.?$/.exec(why) ?? [];
  return reason ?? why;
}

/** What somebody should know before a session is stopped. */
export function loss({ session, leases, queued }: SessionStatus): string {
  if (leases.length === 0 && queued === 0) return `Nobody uses session ${session}: nothing is lost.`;
  const waiting = queued === 0 ? '' : ` ${count(queued, 'job')} in its queue will fail.`;
  if (leases.length === 0) return `Nobody uses session ${session}.${waiting}`;
  return `Whoever holds session ${session} has only its drain time to end, then the work is lost.${waiting} It is used by:`;
}
