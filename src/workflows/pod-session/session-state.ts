import {
  WORKFLOW_LEASE_TTL_SECONDS,
  EXTERNAL_LEASE_TTL_SECONDS,
  isAccepting,
  specConflict,
  type AcquiredLease,
  type ErrorCode,
  type LeaseHolder,
  type PodSessionSpec,
  type SessionPhase,
} from '../../contract/index.js';
import { clock, iso } from './clock-text.js';
import { budgetEndMs, condemn, seenGone, specOf, whyNoOther } from './session-pods.js';
import type {
  CondemnedPod,
  EndedLease,
  Outgoing,
  SessionData,
  SessionLease,
  SessionPod,
  SessionStop,
  StopKind,
} from './session-data.js';

/** Beyond this a flood of acquires could outgrow what continue-as-new may carry. */
const MAX_QUEUE = 1000;
const MAX_ENDED_LEASES = 50;
const MAX_NOTED_LOSSES = 10;
/** Ends after which nobody has to be told no. */
const REOPENING: readonly StopKind[] = ['idle', 'lost', 'nobody-left'];
/** Draining for the lifetime's end starts at most this share of the lifetime before it. */
const MAX_DRAIN_SHARE = 0.1;

/**
 * The rules of a session: leases, queue, deadlines, phases. Pure: no clock, no I/O, no SDK; times are epoch milliseconds.
 * Every method is idempotent where its message may arrive twice.
 */
export class SessionState {
  /** Attempts whose end is under way. Not part of the data: nothing may be under way when the session continues as new. */
  private readonly beingEnded = new Set<number>();

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
    this.data.failedBoots = 0;
    delete this.data.givenUpWhy;
    this.enter('ready', nowMs);
    this.grantWaiting(nowMs);
  }

  /** The pod in service is lost: those who use it or wait get another one, within limits; else the session ends. */
  podLost(why: string, nowMs: number): void {
    this.data.lossesMs = [...(this.data.lossesMs ?? []), nowMs].slice(-MAX_NOTED_LOSSES);
    const reason = `the pod was lost: ${why}`;
    if (!this.isWanted) this.requestStop({ kind: 'lost', reason, atMs: nowMs });
    else this.replacePod(reason, 'POD_LOST', nowMs);
  }

  /** The pod did not come up, and another host may do better. */
  bootFailed(why: string, code: string, nowMs: number): void {
    this.data.failedBoots = (this.data.failedBoots ?? 0) + 1;
    if (!this.isWanted) this.requestStop({ kind: 'failed', code, reason: why, atMs: nowMs });
    else this.replacePod(why, code, nowMs);
  }

  /** Nothing more is rented when those who needed another pod have gone in the meantime. */
  endIfUnwanted(nowMs: number): void {
    const { givenUpWhy } = this.data;
    if (givenUpWhy === undefined || this.isWanted) return;
    this.requestStop({ kind: 'nobody-left', reason: givenUpWhy, atMs: nowMs });
  }

  /** Gives up whatever this attempt rented: it is ended beside whatever goes on. Undefined: there is nothing. */
  condemnPod(why: string, nowMs: number): CondemnedPod | undefined {
    return condemn(this.data, why, nowMs);
  }

  /** What was given up and nobody ends yet. */
  takeNewlyCondemned(): CondemnedPod[] {
    const fresh = (this.data.condemned ?? []).filter(({ attempt }) => !this.beingEnded.has(attempt));
    for (const { attempt } of fresh) this.beingEnded.add(attempt);
    return fresh;
  }

  condemnedGone(condemned: CondemnedPod, endedAtMs: number): void {
    seenGone(this.data, condemned, endedAtMs);
  }

  condemnedStuck(condemned: CondemnedPod, nowMs: number): void {
    condemned.stuck = true;
    if (this.phase === 'stopping') this.enter('stuck', nowMs);
  }

  get hasCondemned(): boolean {
    return (this.data.condemned ?? []).length > 0;
  }

  /** A session whose pod does not end goes on with another one when somebody asks, instead of making them wait. */
  get reopens(): boolean {
    return this.phase === 'stuck' && this.data.queue.length > 0;
  }

  reopen(nowMs: number): void {
    delete this.data.stop;
    this.enter('creating', nowMs);
  }

  /** The same lease id twice is one lease: the second acquire repeats the answer to the first. */
  acquire(request: AcquiredLease, nowMs: number): void {
    const held = this.data.leases.find((lease) => lease.leaseId === request.leaseId);
    if (held) {
      this.sendGrant(held);
      return;
    }
    if (!this.acceptsLeases() && !this.mayReopen(nowMs)) {
      this.sendRevoke(request, this.data.stop?.reason ?? 'the session is ending');
      return;
    }
    const conflict = request.wants && specConflict(specOf(this.data), request.wants);
    if (conflict !== undefined) {
      this.sendRefusal(request, conflict, 'SESSION_SPEC_CONFLICT');
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
    const { plan, startedAtMs } = this.data;
    const { maxLifetimeSeconds, maxCostUsd } = this.limits;
    const hardMs = plan?.hardDeadlineMs ?? startedAtMs + maxLifetimeSeconds * 1000;
    const budgetMs = budgetEndMs(this.data, maxCostUsd);
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

  /** Somebody uses the pod or waits for it. */
  private get isWanted(): boolean {
    return this.data.leases.length + this.data.queue.length > 0;
  }

  private mayReopen(nowMs: number): boolean {
    const { phase, stop } = this.data;
    if (phase !== 'stuck' || !stop || nowMs >= this.endDeadline().atMs) return false;
    return REOPENING.includes(stop.kind) && whyNoOther(this.data, nowMs) === undefined;
  }

  private replacePod(why: string, code: string, nowMs: number): void {
    const tooMany = whyNoOther(this.data, nowMs);
    if (tooMany !== undefined) {
      this.requestStop({ kind: 'failed', code, reason: `${why} (${tooMany})`, atMs: nowMs });
      return;
    }
    // In the order of their grants, before everybody who has had no pod yet.
    const held = this.data.leases.map((lease) => this.takeBack(lease, why, nowMs));
    this.data.queue = [...held, ...this.data.queue];
    condemn(this.data, why, nowMs);
    this.data.givenUpWhy = why;
    this.enter('creating', nowMs);
  }

  /** Its holder did nothing wrong: it keeps its place and is told to stop what it does. */
  private takeBack(lease: SessionLease, why: string, nowMs: number): AcquiredLease {
    this.sendRevoke(lease, why);
    this.data.leases = this.data.leases.filter((other) => other !== lease);
    this.noteEnd(lease, 'revoked', nowMs);
    const { leaseId, holder, ttlSeconds, project, label, hold } = lease;
    return { leaseId, holder, ttlSeconds, project, label, hold };
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

  /** Asking again would be refused again. */
  private sendRefusal({ leaseId, holder }: AcquiredLease, reason: string, code: ErrorCode): void {
    const workflowId = signalTarget(holder);
    if (workflowId === undefined) return;
    this.post({ kind: 'revoke', workflowId, revoke: { leaseId, reason, final: true, code } });
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
    this.noteEnd(lease, end, nowMs);
  }

  private noteEnd(lease: SessionLease, end: EndedLease['end'], nowMs: number): void {
    const { leaseId, project, label, grantedAtMs } = lease;
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
