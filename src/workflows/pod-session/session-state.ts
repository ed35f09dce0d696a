import {
  DevloopError,
  isAccepting,
  specConflict,
  type AcquiredLease,
  type ErrorCode,
  type LeaseAnswer,
  type PodSessionSpec,
  type SessionPhase,
} from '../../contract/index.js';
import {
  drainDeadlineMs,
  endDeadline,
  idleDeadlineMs,
  nextWakeMs,
  stopByClock,
  type EndDeadline,
} from './session-deadlines.js';
import { grantOf, postGrant, postRefusal, postRevoke, unpost } from './session-news.js';
import { endLease, leaseOf, ttlMs } from './session-leases.js';
import { condemn, noteUse, seenGone, specOf } from './session-pods.js';
import { failedBoot, isWanted, lostPod, mayReopen } from './session-replacement.js';
import type { CondemnedPod, Outgoing, SessionData, SessionLease, SessionPod, SessionStop } from './session-data.js';

/** Beyond this a flood of acquires could outgrow what continue-as-new may carry. */
const MAX_QUEUE = 1000;

/**
 * The rules of a session: leases, queue, deadlines, phases. Pure: no clock, no I/O, no SDK; times are epoch milliseconds.
 * Every method is idempotent where its message may arrive twice.
 */
export class SessionState {
  /** Attempts whose end is under way. Not part of the data: nothing may be under way when the session continues as new. */
  private readonly beingEnded = new Set<number>();

  /** Updates of this run: a server takes only so many of them. */
  requests = 0;

  /** Somebody has taken the session back to before what it knows of: there may be pods that it has never heard of. */
  wasReset = false;

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
    if (this.data.pod) Object.assign(this.data.pod, { endpoint, readyAtMs: nowMs });
    this.data.readyAtMs = nowMs;
    this.data.failedBoots = 0;
    delete this.data.givenUpWhy;
    this.enter('ready', nowMs);
    this.grantWaiting(nowMs);
  }

  /** The pod in service is lost: those who use it or wait get another one, within limits; else the session ends. */
  podLost(why: string, nowMs: number): void {
    this.goOn(lostPod(this.data, why, nowMs), nowMs);
  }

  /** The pod did not come up, and another host may do better. */
  bootFailed(why: string, code: string, nowMs: number): void {
    this.goOn(failedBoot(this.data, why, code, nowMs), nowMs);
  }

  /** Nothing more is rented when those who needed another pod have gone in the meantime. */
  endIfUnwanted(nowMs: number): void {
    const { givenUpWhy } = this.data;
    if (givenUpWhy === undefined || isWanted(this.data)) return;
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

  condemnedGone(condemned: CondemnedPod, endedAtMs: number, nowMs: number): void {
    seenGone(this.data, condemned, endedAtMs);
    const left = this.data.condemned ?? [];
    // Only an older one is left that has been stuck for long: it must not hold up who asks now.
    if (this.phase === 'stopping' && left.length > 0 && left.every(({ stuck }) => stuck)) this.enter('stuck', nowMs);
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
    const held = leaseOf(this.data, request.leaseId);
    const refusal = held ? undefined : this.refusalOf(request, nowMs);
    if (held) postGrant(this.data, held);
    else if (refusal?.code) postRefusal(this.data, request, refusal.reason, refusal.code);
    else if (refusal) postRevoke(this.data, request, refusal.reason);
    else this.enqueue(request, nowMs);
  }

  /**
   * The same for who takes no signals, answered at once. Asking again shows that the holder lives, so it renews the lease.
   * @throws DevloopError `LEASE_REVOKED` with the reason, `SESSION_SPEC_CONFLICT`
   */
  request(request: AcquiredLease, nowMs: number): LeaseAnswer {
    this.requests += 1;
    if (!leaseOf(this.data, request.leaseId)) {
      const refusal = this.refusalOf(request, nowMs);
      if (refusal) throw new DevloopError(refusal.code ?? 'LEASE_REVOKED', refusal.reason);
      this.enqueue(request, nowMs);
    }
    const held = leaseOf(this.data, request.leaseId);
    if (!held)
      return { state: 'queued', position: this.data.queue.findIndex(({ leaseId }) => leaseId === request.leaseId) + 1 };
    held.expiresAtMs = nowMs + ttlMs(held);
    return { state: 'granted', grant: grantOf(this.data, held) };
  }

  renew(leaseId: string, lastUsedAtMs: number | undefined, nowMs: number): void {
    const lease = leaseOf(this.data, leaseId);
    if (!lease) return;
    lease.expiresAtMs = nowMs + ttlMs(lease);
    // A holder's clock may be wrong: a use in the future would keep a pod for nothing.
    lease.lastUsedAtMs = Math.max(lease.lastUsedAtMs, Math.min(lastUsedAtMs ?? nowMs, nowMs));
  }

  /** Unknown leases are ignored: a release may come after an expiry, or twice. */
  release(leaseId: string, nowMs: number): void {
    this.data.queue = this.data.queue.filter((waiting) => waiting.leaseId !== leaseId);
    unpost(this.data, leaseId);
    endLease(this.data, leaseId, 'released', nowMs);
    this.grantWaiting(nowMs);
  }

  /** Its holder is known to be gone: nobody would give the lease back. */
  holderGone(leaseId: string, nowMs: number): void {
    this.data.queue = this.data.queue.filter((waiting) => waiting.leaseId !== leaseId);
    endLease(this.data, leaseId, 'holder-gone', nowMs);
    this.grantWaiting(nowMs);
  }

  /** An unknown holder keeps its lease for another term: a slow Temporal must not rob anybody; the hard deadline bounds it. */
  holderChecked(leaseId: string, state: 'running' | 'gone' | 'unknown', nowMs: number): void {
    const lease = leaseOf(this.data, leaseId);
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
    const stop = this.stopRequested ? undefined : stopByClock(this.data, nowMs);
    if (stop) this.requestStop(stop);
  }

  idleDeadlineMs(): number | undefined {
    return idleDeadlineMs(this.data);
  }

  endDeadline(): EndDeadline {
    return endDeadline(this.data);
  }

  drainDeadlineMs(): number {
    return drainDeadlineMs(this.data);
  }

  dueHolders(nowMs: number): SessionLease[] {
    return this.data.leases.filter((lease) => lease.expiresAtMs <= nowMs);
  }

  nextWakeMs(): number {
    return nextWakeMs(this.data);
  }

  /** No further leases: everybody waiting is told, everybody holding keeps what drain allows. */
  closeQueue(): void {
    const reason = this.data.stop?.reason ?? 'the session is ending';
    for (const waiting of this.data.queue) postRevoke(this.data, waiting, reason);
    this.data.queue = [];
  }

  revokeAll(nowMs: number): void {
    this.closeQueue();
    for (const lease of [...this.data.leases]) {
      postRevoke(this.data, lease, this.data.stop?.reason ?? 'the session is ending');
      endLease(this.data, lease.leaseId, 'revoked', nowMs);
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

  private goOn(stop: SessionStop | undefined, nowMs: number): void {
    if (stop) this.requestStop(stop);
    else this.enter('creating', nowMs);
  }

  /** Why somebody new gets no lease, with a code where asking again would be in vain. */
  private refusalOf(request: AcquiredLease, nowMs: number): { reason: string; code?: ErrorCode } | undefined {
    const { data } = this;
    if ((!isAccepting(data.phase) || this.stopRequested) && !mayReopen(data, nowMs))
      return { reason: data.stop?.reason ?? 'the session is ending' };
    const conflict = request.wants && specConflict(specOf(data), request.wants);
    if (conflict !== undefined) return { reason: conflict, code: 'SESSION_SPEC_CONFLICT' };
    const isWaiting = data.queue.some(({ leaseId }) => leaseId === request.leaseId);
    return !isWaiting && data.queue.length >= MAX_QUEUE
      ? { reason: `the session's queue is full (${MAX_QUEUE} waiting)` }
      : undefined;
  }

  private enqueue(request: AcquiredLease, nowMs: number): void {
    if (this.data.queue.some(({ leaseId }) => leaseId === request.leaseId)) return;
    this.data.queue.push(request);
    this.grantWaiting(nowMs);
  }

  private grantWaiting(nowMs: number): void {
    const { data } = this;
    while (data.phase === 'ready' && !this.stopRequested && data.leases.length < data.spec.maxConcurrentLeases) {
      const next = data.queue.shift();
      if (!next) return;
      const lease = { ...next, grantedAtMs: nowMs, lastUsedAtMs: nowMs, expiresAtMs: nowMs + ttlMs(next) };
      data.leases.push(lease);
      noteUse(data, nowMs);
      postGrant(this.data, lease);
    }
  }
}
