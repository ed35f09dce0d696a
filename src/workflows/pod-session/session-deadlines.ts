import { clock } from './clock-text.js';
import type { SessionData, SessionLease, SessionStop, StopKind } from './session-data.js';
import { budgetEndMs } from './session-pods.js';

/** Draining for the lifetime's end starts at most this share of the lifetime before it. */
const MAX_DRAIN_SHARE = 0.1;

/** There is nobody whose work could be finished. */
const WITHOUT_DRAIN: readonly StopKind[] = ['cancelled', 'lost', 'idle'];

/** The last moment at which a pod of the session may exist, and what sets it. */
export interface EndDeadline {
  readonly kind: 'lifetime' | 'budget';
  readonly atMs: number;
  readonly reason: string;
}

/** As the operator's caps left them, once the plan says so. */
export function limitsOf({ plan, spec }: SessionData): {
  readonly maxLifetimeSeconds: number;
  readonly maxCostUsd: number;
} {
  return plan?.limits ?? spec;
}

/**
 * When the session ends if nobody uses it again; undefined while the pod is not ready or somebody uses it. An external lease
 * that was taken without `hold` is a use up to its last one only: a forgotten terminal is none.
 */
export function idleDeadlineMs({ readyAtMs, spec, leases, queue, lastUse, phase }: SessionData): number | undefined {
  if (phase !== 'ready' || readyAtMs === undefined || queue.length > 0 || leases.some(isUse)) return undefined;
  const uses = leases.map(({ lastUsedAtMs }) => lastUsedAtMs);
  return Math.max(readyAtMs, lastUse?.atMs ?? 0, ...uses) + spec.idleTimeoutSeconds * 1000;
}

/** Its holder's work counts, whatever it says of its last use: a workflow that runs, or somebody who holds on purpose. */
function isUse({ holder, hold }: SessionLease): boolean {
  return holder.kind === 'workflow' || hold;
}

/** The last moment at which the pod may exist by our own timers. */
export function endDeadline(data: SessionData): EndDeadline {
  const { maxLifetimeSeconds, maxCostUsd } = limitsOf(data);
  const hardMs = data.plan?.hardDeadlineMs ?? data.startedAtMs + maxLifetimeSeconds * 1000;
  const budgetMs = budgetEndMs(data, maxCostUsd);
  return budgetMs < hardMs
    ? { kind: 'budget', atMs: budgetMs, reason: `budget of $${maxCostUsd} reached` }
    : { kind: 'lifetime', atMs: hardMs, reason: `hard deadline ${clock(hardMs)} UTC reached` };
}

/** When running work must be over: after the drain, and never past the session's last moment. */
export function drainDeadlineMs(data: SessionData): number {
  const { stop, spec, leases } = data;
  if (!stop || leases.length === 0 || WITHOUT_DRAIN.includes(stop.kind)) return 0;
  return Math.min(stop.atMs + spec.drainSeconds * 1000, endDeadline(data).atMs);
}

/** The stop that the clock demands, if any. */
export function stopByClock(data: SessionData, nowMs: number): SessionStop | undefined {
  const end = endDeadline(data);
  if (nowMs >= drainStartMs(data, end.atMs)) return { kind: end.kind, reason: end.reason, atMs: nowMs };
  const idleMs = idleDeadlineMs(data);
  return idleMs !== undefined && nowMs >= idleMs ? { kind: 'idle', reason: idleReason(data), atMs: nowMs } : undefined;
}

/** The next moment at which the clock alone changes something while serving. */
export function nextWakeMs(data: SessionData): number {
  const expiries = data.leases.map((lease) => lease.expiresAtMs);
  return Math.min(drainStartMs(data, endDeadline(data).atMs), idleDeadlineMs(data) ?? Infinity, ...expiries);
}

function drainStartMs({ leases, startedAtMs, spec }: SessionData, endMs: number): number {
  if (leases.length === 0) return endMs;
  return endMs - Math.min(spec.drainSeconds * 1000, (endMs - startedAtMs) * MAX_DRAIN_SHARE);
}

function idleReason({ spec, lastUse, leases }: SessionData): string {
  const unused = leases.map(({ label, leaseId }) => label ?? leaseId).join(', ');
  const last = lastUse ? `${lastUse.by} was the last user at ${clock(lastUse.atMs)} UTC` : 'nobody used it';
  return `idle for ${spec.idleTimeoutSeconds} s: ${unused === '' ? last : `held by ${unused}, but not used`}`;
}
