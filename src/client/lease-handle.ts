import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  DevloopError,
  EXTERNAL_LEASE_TTL_SECONDS,
  type AcquireLease,
  type Grant,
  type LeaseAnswer,
} from '../contract/index.js';
import { gateSecretFromEnvironment } from './settings.js';
import { isPassing } from './watch.js';

/** A holder in the queue asks again after this (wire contract). */
const ASK_AGAIN_MS = 5_000;
const BEATS_PER_TERM = 3;
/** The shortest idle time has 5 s. */
const SHORTEST_BEAT_MS = 1_500;

export interface LeaseOptions {
  /** Default: a new one. */
  readonly leaseId?: string;
  readonly label?: string;
  readonly project?: string;
  /** Counts as in use even when unused. */
  readonly hold?: boolean;
  /** Seconds, default 120: so long after the holder's death nobody else gets the place. */
  readonly ttlSeconds?: number;
  readonly signal?: AbortSignal;
  /** Called with the place in the queue, from 1, each time that it was asked for in vain. */
  readonly onQueued?: (position: number) => void;
}

/** What a lease needs of its session. */
export interface LeaseSession {
  /** @throws DevloopError `LEASE_REVOKED`, `SESSION_SPEC_CONFLICT`, `SESSION_NOT_FOUND`, `NO_WORKER`, `TEMPORAL_UNREACHABLE` */
  ask(request: AcquireLease, signal?: AbortSignal): Promise<LeaseAnswer>;
  tellUse(leaseId: string, lastUsedAtMs: number): Promise<void>;
  giveBack(leaseId: string): Promise<void>;
  report(podId: string, problem: string): Promise<void>;
}

/**
 * The right to use a session's pod, for a program outside Temporal. Renews itself while this process lives; one that is
 * killed loses it after its TTL. Unless taken with `hold`, it keeps the pod only by uses: see `use()` and `used()`.
 */
export class Lease implements AsyncDisposable {
  readonly leaseId: string;
  private readonly ended = new AbortController();
  private readonly askEveryMs: number;
  private readonly renewing: Promise<void>;
  private lastUsedAtMs: number | undefined;
  /** Uses that are not over yet. */
  private inUse = 0;
  /** The last use that the session was told of, or was to be. */
  private tellingMs = 0;
  private hurry: () => void = () => undefined;
  private failure: DevloopError | undefined;

  private constructor(
    private readonly session: LeaseSession,
    private readonly request: AcquireLease,
    private present: Grant | undefined,
    ttlSeconds: number,
  ) {
    this.leaseId = request.leaseId;
    this.askEveryMs = (ttlSeconds * 1000) / BEATS_PER_TERM;
    this.renewing = this.renew().catch(() => undefined);
  }

  /** Waits in the queue until there is a grant. @throws DevloopError as `LeaseSession.ask`; the signal's reason */
  static async take(session: LeaseSession, options: LeaseOptions = {}): Promise<Lease> {
    const { leaseId = randomUUID(), ttlSeconds = EXTERNAL_LEASE_TTL_SECONDS, signal, label, project, hold } = options;
    const request: AcquireLease = { leaseId, holder: { kind: 'external' }, ttlSeconds, label, project, hold };
    try {
      for (;;) {
        const { grant, position } = await session.ask(request, signal);
        if (grant) return new Lease(session, request, grant, ttlSeconds);
        if (position !== undefined) options.onQueued?.(position);
        await delay(ASK_AGAIN_MS, undefined, signal && { signal });
      }
    } catch (error) {
      // Whoever leaves the queue says so; a session that is gone needs no word.
      await session.giveBack(leaseId).catch(() => undefined);
      throw signal?.aborted ? signal.reason : error;
    }
  }

  /** The pod as of now. @throws DevloopError `POD_LOST` while the pod is being replaced; what ended the lease */
  get grant(): Grant {
    if (this.failure) throw this.failure;
    if (this.present) return this.present;
    throw new DevloopError('POD_LOST', 'the pod is being replaced: try again when the session has another one');
  }

  /**
   * What every request to the pod carries.
   * @param secret that of the workers; `DEVLOOP_GATE_SECRET` by default
   * @throws DevloopError as `grant`; `CONFIG_INVALID` without a secret
   */
  headers(secret: string = gateSecretFromEnvironment()): { readonly Authorization: string } {
    const token = createHmac('sha256', secret).update(this.grant.podName).digest('base64url');
    return { Authorization: `Bearer ${token}` };
  }

  /**
   * Runs what uses the pod. However long it takes, its session does not take the pod for idle.
   * @throws what the work throws
   */
  async use<T>(work: () => T | Promise<T>): Promise<T> {
    this.inUse += 1;
    this.used();
    try {
      return await work();
    } finally {
      this.inUse -= 1;
      this.used();
    }
  }

  /** Notes a use of the pod at one moment; the session hears of it well within its idle time, and at once of the first after a while. */
  used(atMs = Date.now()): void {
    this.lastUsedAtMs = Math.max(this.lastUsedAtMs ?? 0, atMs);
    if (this.isUrgent) this.hurry();
  }

  /** Counts as a use on the pod itself: keeps its dead-man's switch from ending it. */
  async touch({ secret, signal }: { secret?: string; signal?: AbortSignal } = {}): Promise<void> {
    const { endpoint } = this.grant;
    const init = { method: 'POST', headers: this.headers(secret), ...(signal && { signal }) };
    const answer = await fetch(`${endpoint}/devloop/touch`, init);
    if (!answer.ok) throw new DevloopError('GATE_UNAUTHORIZED', `the pod's gate answers HTTP ${answer.status}`);
    this.used();
  }

  /** Says that the pod does not serve: the session looks at it, and replaces one that is lost. */
  async report(problem: string): Promise<void> {
    await this.session.report(this.grant.podId, problem);
  }

  /** Gives the lease back. Safe to call again. */
  async release(): Promise<void> {
    if (this.ended.signal.aborted) return;
    this.ended.abort();
    await this.renewing;
    await this.session.giveBack(this.leaseId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** Uses are told before the idle time is over; asking again renews the lease and brings the grant of a new pod. */
  private async renew(): Promise<void> {
    let toldMs = 0;
    let sinceAskedMs = 0;
    for (;;) {
      const waitMs = this.beatMs();
      await this.pause(waitMs);
      if (this.inUse > 0) this.used();
      // A beat that was cut short counts as a whole one: renewed too soon is better than too late.
      sinceAskedMs += waitMs;
      try {
        if (this.lastUsedAtMs !== undefined && this.lastUsedAtMs > toldMs) {
          const usedMs = this.lastUsedAtMs;
          this.tellingMs = usedMs;
          await this.session.tellUse(this.leaseId, usedMs);
          toldMs = usedMs;
        }
        if (this.present && sinceAskedMs < this.askEveryMs) continue;
        this.present = (await this.session.ask(this.request)).grant;
        sinceAskedMs = 0;
      } catch (error) {
        if (!(error instanceof DevloopError) || isPassing(error)) continue;
        this.failure = error;
        return;
      }
    }
  }

  /** Until the next beat, or until a use is urgent. */
  private async pause(ms: number): Promise<void> {
    const { signal } = this.ended;
    signal.throwIfAborted();
    const early = new Promise<void>((resolve) => {
      this.hurry = resolve;
    });
    if (!this.isUrgent) await Promise.race([early, delay(ms, undefined, { signal, ref: false })]);
  }

  /** A use after a silence, in which the idle time may have run so far that the next beat would be too late. */
  private get isUrgent(): boolean {
    return (this.lastUsedAtMs ?? 0) - this.tellingMs >= this.beatMs();
  }

  private beatMs(): number {
    // Without a pod it waits in the queue again.
    if (!this.present) return Math.min(this.askEveryMs, ASK_AGAIN_MS);
    const { idleTimeoutSeconds = Infinity } = this.present;
    return Math.min(this.askEveryMs, Math.max(SHORTEST_BEAT_MS, (idleTimeoutSeconds * 1000) / BEATS_PER_TERM));
  }
}
