import {
  WORKFLOW_LEASE_TTL_SECONDS,
  EXTERNAL_LEASE_TTL_SECONDS,
  isAccepting,
  type AcquiredLease,
  type LeaseHolder,
  type PodSessionSpec,
  type SessionPhase,
} from '../../contract/index.js';
import { clock, iso } from './clock-text.js';
import type { EndedLease, Outgoing, SessionData, SessionLease, SessionPod, SessionStop } from './session-data.js';

/** Beyond this a flood of acquires could outgrow what continue-as-new may carry. */
const MAX_QUEUE = 1000;
const MAX_ENDED_LEASES = 50;
/** Draining for the lifetime's end starts at most this share of the lifetime before it. */
const MAX_DRAIN_SHARE = 0.1;

/**
 * The rules of a session: leases, queue, deadlines, phases. Pure: no clock, no I/O, no SDK; times are epoch milliseconds.
 * Every method is idempotent where its message may arrive twice.
 */
export class SessionState {
  private constructor(readonly data: SessionData) {}

  static start(spec: PodSessionSpec, firstRunId: string, nowMs: number): SessionState {
    return new SessionState({
      version: 1,
      spec,
      firstRunId,
      startedAtMs: nowMs,
      phase: 'creating',
      phaseLog: [{ phase: 'creating', atMs: nowMs }],
      attempt: 1,
      leases: [],
      queue: [],
      outbox: [],
      endedLeases: [],
      jobsServed: 0,
      unsettled: [],
    });
  }

  /** Goes on with what an earlier run of the same session left. */
  static resume(data: SessionData): SessionState {
    return new SessionState(data);
  }

  get phase(): SessionPhase {
    return this.data.phase;
  }

  enter(phase: SessionPhase, nowMs: number): void {
    if (this.data.phase === phase) return;
    this.data.phase = phase;
    this.data.phaseLog.push({ phase, atMs: nowMs });
  }

  podCreated(pod: SessionPod, nowMs: number): void {
    this.data.pod = pod;
    this.enter('booting', nowMs);
  }

  podReady(endpoint: string, nowMs: number): void {
    if (this.data.pod) this.data.pod.endpoint = endpoint;
    this.data.readyAtMs = nowMs;
    this.enter('ready', nowMs);
    this.grantWaiting(nowMs);
  }

  /** The same lease id twice is one lease: the second acquire repeats the answer to the first. */
  acquire(request: AcquiredLease, nowMs: number): void {
    const held = this.data.leases.find((lease) => lease.leaseId === request.leaseId);
    if (held) {
      this.sendGrant(held);
      return;
    }
    if (!this.acceptsLeases()) {
      this.sendRevoke(request, this.data.stop?.reason ?? 'the session is ending');
      return;
    }
    if (this.data.queue.some((waiting) => waiting.leaseId === request.leaseId)) return;
    if (this.data.queue.length >= MAX_QUEUE) {
      this.sendRevoke(request, `the session's queue is full (${MAX_QUEUE} waiting)`);
      return;
    }
    this.data.queue.push(request);
    this.grantWaiting(nowMs);
  }

  renew(leaseId: string, lastUsedAtMs: number | undefined, nowMs: number): void {
    const lease = this.data.leases.find((held) => held.leaseId === leaseId);
    if (!lease) return;
    lease.expiresAtMs = nowMs + ttlMs(lease);
    // A holder's clock may be wrong: a use in the future would keep a pod for nothing.
    lease.lastUsedAtMs = Math.max(lease.lastUsedAtMs, Math.min(lastUsedAtMs ?? nowMs, nowMs));
  }

  /** Unknown leases are ignored: a release may come after an expiry, or twice. */
  release(leaseId: string, nowMs: number): void {
    this.data.queue = this.data.queue.filter((waiting) => waiting.leaseId !== leaseId);
    this.data.outbox = this.data.outbox.filter((out) => outgoingLeaseId(out) !== leaseId);
    this.endLease(leaseId, 'released', nowMs);
    this.grantWaiting(nowMs);
  }

  /** Its holder is known to be gone: nobody would give the lease back. */
  holderGone(leaseId: string, nowMs: number): void {
    this.data.queue = this.data.queue.filter((waiting) => waiting.leaseId !== leaseId);
    this.endLease(leaseId, 'holder-gone', nowMs);
    this.grantWaiting(nowMs);
  }

  /** An unknown holder keeps its lease for another term: a slow Temporal must not rob anybody; the hard deadline bounds it. */
  holderChecked(leaseId: string, state: 'running' | 'gone' | 'unknown', nowMs: number): void {
    const lease = this.data.leases.find((held) => held.leaseId === leaseId);
    if (!lease) return;
    if (state === 'gone') this.holderGone(leaseId, nowMs);
    else lease.expiresAtMs = nowMs + ttlMs(lease);
    if (state === 'running') lease.lastUsedAtMs = nowMs;
  }

  suspectPod(podId: string, problem: string): void {
    if (this.data.pod?.id === podId && this.data.phase === 'ready') this.data.suspicion = { podId, problem };
  }

  takeSuspicion(): { podId: string; problem: string } | undefined {
    const suspicion = this.data.suspicion;
    delete this.data.suspicion;
    return suspicion;
  }

  /** The first reason stands; a later one cannot soften it. Cancelling cuts a drain short. */
  requestStop(stop: SessionStop): void {
    if (!this.data.stop || (stop.kind === 'cancelled' && this.data.stop.kind !== 'cancelled')) this.data.stop = stop;
  }

  get stopRequested(): boolean {
    return this.data.stop !== undefined;
  }

  /** Sets the stop that the clock demands, if any. */
  applyDeadlines(nowMs: number): void {
    if (this.stopRequested) return;
    const end = this.endDeadline();
    if (nowMs >= this.drainStart(end.atMs)) {
      this.requestStop({ kind: end.kind, reason: end.reason, atMs: nowMs });
      return;
    }
    const idle = this.idleDeadlineMs();
    if (idle !== undefined && nowMs >= idle) {
      this.requestStop({ kind: 'idle', reason: this.idleReason(), atMs: nowMs });
    }
  }

  /** Undefined while the pod is not ready or somebody uses it. */
  idleDeadlineMs(): number | undefined {
    const { readyAtMs, spec, leases, queue, lastUse, phase } = this.data;
    if (phase !== 'ready' || readyAtMs === undefined || leases.length > 0 || queue.length > 0) return undefined;
    return Math.max(readyAtMs, lastUse?.atMs ?? 0) + spec.idleTimeoutSeconds * 1000;
  }

  /** As the operator's caps left them, once the plan says so. */
  get limits(): { readonly maxLifetimeSeconds: number; readonly maxCostUsd: number } {
    return this.data.plan?.limits ?? this.data.spec;
  }

  /** The last moment at which the pod may exist by our own timers. */
  endDeadline(): { kind: 'lifetime' | 'budget'; atMs: number; reason: string } {
    const { plan, pod, startedAtMs } = this.data;
    const { maxLifetimeSeconds, maxCostUsd } = this.limits;
    const hardMs = plan?.hardDeadlineMs ?? startedAtMs + maxLifetimeSeconds * 1000;
    const budgetMs =
      pod && pod.costPerHourUsd > 0 ? pod.createdAtMs + (maxCostUsd / pod.costPerHourUsd) * 3_600_000 : Infinity;
    return budgetMs < hardMs
      ? { kind: 'budget', atMs: budgetMs, reason: `budget of $${maxCostUsd} reached` }
      : { kind: 'lifetime', atMs: hardMs, reason: `hard deadline ${clock(hardMs)} UTC reached` };
  }

  /** When running work must be over: after the drain, and never past the session's last moment. */
  drainDeadlineMs(): number {
    const { stop, spec, leases } = this.data;
    if (!stop || stop.kind === 'cancelled' || stop.kind === 'lost' || leases.length === 0) return 0;
    return Math.min(stop.atMs + spec.drainSeconds * 1000, this.endDeadline().atMs);
  }

  dueHolders(nowMs: number): SessionLease[] {
    return this.data.leases.filter((lease) => lease.expiresAtMs <= nowMs);
  }

  /** The next moment at which the clock alone changes something while serving. */
  nextWakeMs(): number {
    const wakes = [this.drainStart(this.endDeadline().atMs), ...this.data.leases.map((lease) => lease.expiresAtMs)];
    const idle = this.idleDeadlineMs();
    if (idle !== undefined) wakes.push(idle);
    return Math.min(...wakes);
  }

  /** No further leases: everybody waiting is told, everybody holding keeps what drain allows. */
  closeQueue(): void {
    const reason = this.data.stop?.reason ?? 'the session is ending';
    for (const waiting of this.data.queue) this.sendRevoke(waiting, reason);
    this.data.queue = [];
  }

  revokeAll(nowMs: number): void {
    this.closeQueue();
    for (const lease of [...this.data.leases]) {
      this.sendRevoke(lease, this.data.stop?.reason ?? 'the session is ending');
      this.endLease(lease.leaseId, 'revoked', nowMs);
    }
  }

  takeOutbox(): Outgoing[] {
    const taken = this.data.outbox;
    this.data.outbox = [];
    return taken;
  }

  get hasOutgoing(): boolean {
    return this.data.outbox.length > 0;
  }

  /** A message asks for more than the clock does. */
  get needsAttention(): boolean {
    return this.hasOutgoing || this.data.suspicion !== undefined;
  }

  private acceptsLeases(): boolean {
    return isAccepting(this.data.phase) && !this.stopRequested;
  }

  private grantWaiting(nowMs: number): void {
    const { data } = this;
    while (data.phase === 'ready' && !this.stopRequested && data.leases.length < data.spec.maxConcurrentLeases) {
      const next = data.queue.shift();
      if (!next) return;
      const lease = { ...next, grantedAtMs: nowMs, lastUsedAtMs: nowMs, expiresAtMs: nowMs + ttlMs(next) };
      data.leases.push(lease);
      this.sendGrant(lease);
    }
  }

  private sendGrant(lease: SessionLease): void {
    const { pod, plan } = this.data;
    const workflowId = signalTarget(lease.holder);
    if (!pod?.endpoint || !plan || workflowId === undefined) return;
    const { id: podId, name: podName, endpoint, costPerHourUsd } = pod;
    const grant = {
      leaseId: lease.leaseId,
      podId,
      podName,
      endpoint,
      api: plan.api,
      model: plan.model,
      costPerHourUsd,
    };
    this.post({ kind: 'grant', workflowId, grant: { ...grant, expiresAt: iso(lease.expiresAtMs) } });
  }

  private sendRevoke(lease: AcquiredLease, reason: string): void {
    const workflowId = signalTarget(lease.holder);
    if (workflowId === undefined) return;
    const stop = this.data.stop;
    const final = stop !== undefined && isFinalStop(stop);
    const revoke = { leaseId: lease.leaseId, reason, final, code: final ? (stop.code ?? 'LEASE_REVOKED') : undefined };
    this.post({ kind: 'revoke', workflowId, revoke });
  }

  /** Only the newest word to a holder counts: what repeats itself while nobody delivers must not grow. */
  private post(out: Outgoing): void {
    const leaseId = outgoingLeaseId(out);
    this.data.outbox = [...this.data.outbox.filter((other) => outgoingLeaseId(other) !== leaseId), out];
  }

  private endLease(leaseId: string, end: EndedLease['end'], nowMs: number): void {
    const lease = this.data.leases.find((held) => held.leaseId === leaseId);
    if (!lease) return;
    this.data.leases = this.data.leases.filter((held) => held !== lease);
    this.data.jobsServed += 1;
    // A holder that is gone was last known to be there when its lease was renewed, not when we found out.
    const lastUseMs = end === 'holder-gone' ? lease.lastUsedAtMs : nowMs;
    const by = lease.label ?? lease.leaseId;
    if (lastUseMs >= (this.data.lastUse?.atMs ?? 0)) this.data.lastUse = { atMs: lastUseMs, by };
    const { project, label, grantedAtMs } = lease;
    this.data.endedLeases.push({ leaseId, project, label, grantedAtMs, endedAtMs: nowMs, end });
    this.data.endedLeases.splice(0, this.data.endedLeases.length - MAX_ENDED_LEASES);
  }

  private idleReason(): string {
    const { spec, lastUse } = this.data;
    const last = lastUse ? `${lastUse.by} was the last user at ${clock(lastUse.atMs)} UTC` : 'nobody used it';
    return `idle for ${spec.idleTimeoutSeconds} s: ${last}`;
  }

  private drainStart(endMs: number): number {
    if (this.data.leases.length === 0) return endMs;
    const shareMs = (endMs - this.data.startedAtMs) * MAX_DRAIN_SHARE;
    return endMs - Math.min(this.data.spec.drainSeconds * 1000, shareMs);
  }
}

/** After these a job that waits must fail; after the others it may ask for the next session. */
function isFinalStop(stop: SessionStop): boolean {
  return stop.kind === 'asked' || stop.kind === 'cancelled' || stop.kind === 'failed' || stop.kind === 'budget';
}

function signalTarget(holder: LeaseHolder): string | undefined {
  return holder.kind === 'workflow' ? holder.workflowId : undefined;
}

function outgoingLeaseId(out: Outgoing): string {
  return out.kind === 'grant' ? out.grant.leaseId : out.revoke.leaseId;
}

function ttlMs(lease: AcquiredLease): number {
  const fallback = lease.holder.kind === 'workflow' ? WORKFLOW_LEASE_TTL_SECONDS : EXTERNAL_LEASE_TTL_SECONDS;
  return (lease.ttlSeconds ?? fallback) * 1000;
}
