import type { AgentJobSpec, Grant, JobPhase, JobStatus, LeaseRevoked, SessionWants } from '../../contract/index.js';

/** A job moves to another pod this often; then the trouble is not the pod's. */
const MAX_POD_LOSSES = 2;
/** A pod that nobody takes back is tried this often, half a minute apart: longer than most networks fail. */
const MAX_TRIES = 5;

/** The rules of one job: its lease, its time, its losses. Pure; times are epoch milliseconds. */
export class JobState {
  private phase: JobPhase = 'waiting';
  private runStartedAtMs: number | undefined;
  private endedAtMs: number | undefined;
  private losses = 0;
  private tries = 0;
  private lastNews = '';
  grant: Grant | undefined;
  revoked: LeaseRevoked | undefined;

  constructor(
    readonly spec: AgentJobSpec,
    readonly leaseId: string,
    readonly startedAtMs: number,
    /** What the sender wrote of the session, without the defaults that `spec` has. */
    readonly wants?: SessionWants | undefined,
  ) {}

  /** What people see as the user of the pod. */
  get user(): string {
    return this.spec.runner?.activity ?? this.spec.agent;
  }

  get deadlineMs(): number {
    return this.startedAtMs + this.spec.timeoutSeconds * 1000;
  }

  remainingMs(nowMs: number): number {
    return Math.max(0, this.deadlineMs - nowMs);
  }

  /** A repeated grant replaces the first: the session answers every acquire. */
  granted(grant: Grant): void {
    if (grant.leaseId !== this.leaseId) return;
    this.grant = grant;
    this.revoked = undefined;
  }

  revoke(revoked: LeaseRevoked): void {
    if (revoked.leaseId !== this.leaseId) return;
    this.revoked = revoked;
    this.grant = undefined;
    this.lastNews = revoked.reason;
  }

  /** To be asked for again; a grant of another pod stays. */
  forgetGrant({ podId }: Grant): void {
    if (this.grant?.podId === podId) this.grant = undefined;
  }

  running(nowMs: number): void {
    this.phase = 'running';
    this.runStartedAtMs = nowMs;
  }

  waitingAgain(news: string): void {
    this.phase = 'waiting';
    this.runStartedAtMs = undefined;
    this.lastNews = news;
  }

  /** After another failure of its pod. The last one ends the job at once: nobody has to rent a pod for it then. */
  get mayGoOn(): boolean {
    return this.losses + 1 < MAX_POD_LOSSES && this.tries + 1 < MAX_TRIES;
  }

  podFailed(isLost: boolean): void {
    if (isLost) this.losses += 1;
    else this.tries += 1;
  }

  ended(phase: 'done' | 'failed' | 'cancelled', nowMs: number, news: string): void {
    this.phase = phase;
    this.endedAtMs = nowMs;
    this.lastNews = news;
  }

  waitSeconds(nowMs: number): number {
    return ((this.runStartedAtMs ?? this.endedAtMs ?? nowMs) - this.startedAtMs) / 1000;
  }

  runSeconds(nowMs: number): number {
    return this.runStartedAtMs === undefined ? 0 : ((this.endedAtMs ?? nowMs) - this.runStartedAtMs) / 1000;
  }

  status(nowMs: number): JobStatus {
    const { session, project } = this.spec;
    return {
      session,
      agent: this.user,
      project,
      phase: this.phase,
      podId: this.grant?.podId,
      waitSeconds: this.waitSeconds(nowMs),
      runSeconds: this.runSeconds(nowMs),
      why: this.why(),
    };
  }

  private why(): string {
    const news = this.lastNews === '' ? '' : ` (${this.lastNews})`;
    switch (this.phase) {
      case 'waiting':
        return `Waits for a lease on session ${this.spec.session}${news}.`;
      case 'running':
        return `${this.spec.runner ? 'Runner' : 'Agent'} ${this.user} runs on pod ${this.grant?.podId ?? ''}.`;
      case 'done':
        return 'Answered.';
      case 'failed':
        return `Failed${news}.`;
      case 'cancelled':
        return 'Cancelled.';
    }
  }
}
