import type { SessionStatus } from '../../../contract/session.js';
import type { CostReport } from '../../../cost/cost-report.js';
import type { Overview } from '../../overview/schemas.js';

/** A new session may be missing from a listing for so long. */
const LISTING_LAG_MS = 3000;

export interface Told {
  readonly status: SessionStatus;
  /** When it was right, by the browser's clock. */
  readonly toldMs: number;
}

export interface Trouble {
  /** When it was last known how things stand; undefined: never. */
  readonly sinceMs: number | undefined;
  readonly detail: string;
}

/** All that the page knows. Nothing of it is kept: after a reload the server tells it anew. No DOM here. */
export class Store {
  readonly sessions = new Map<string, Told>();
  /** Sessions that run and could not be asked, each with the reason. */
  readonly unanswered = new Map<string, string>();
  overview: Overview | undefined;
  costs: CostReport | undefined;
  trouble: Trouble | undefined;
  /** What the stream said last of each session. A listing may be ahead of it: that is no news yet. */
  private readonly heard = new Map<string, Told>();
  /** The server's clock minus the browser's. */
  private offsetMs = 0;
  private knownMs: number | undefined;

  /** By the server's clock; while nothing is known, the time up to which it was. */
  now(browserMs: number): number {
    return (this.trouble === undefined ? browserMs : (this.knownMs ?? browserMs)) + this.offsetMs;
  }

  /** The names of what runs, in their order on the page. */
  names(): string[] {
    return [...new Set([...this.sessions.keys(), ...this.unanswered.keys()])].sort();
  }

  /**
   * By the stream.
   * @returns what somebody who looks elsewhere should hear
   */
  sessionTold(status: SessionStatus, browserMs: number): string | undefined {
    const { session, phase, stopReason = '', costUsd } = status;
    const before = this.heard.get(session)?.status.phase;
    const told = { status, toldMs: browserMs };
    this.heard.set(session, told);
    this.knows(browserMs);
    this.keep(told);
    if (before === undefined || before === 'stopped' || before === phase) return undefined;
    if (phase === 'stopped') return `Session ${session} has ended: ${stopReason}. It cost $${costUsd.toFixed(4)}.`;
    return `Session ${session} is ${phase}.`;
  }

  unansweredTold(session: string, detail: string, browserMs: number): void {
    this.knows(browserMs);
    this.sessions.delete(session);
    this.unanswered.set(session, detail);
  }

  /** @param askedMs when it was asked for: what an event said since then is newer */
  overviewTold(overview: Overview, askedMs: number, browserMs: number): void {
    this.offsetMs = Date.parse(overview.at) - browserMs;
    this.overview = overview;
    this.recovered(browserMs);
    const listed = new Set(overview.sessions.map(({ session }) => session));
    for (const status of overview.sessions) {
      const known = this.sessions.get(status.session) ?? this.heard.get(status.session);
      if (known === undefined || known.toldMs < askedMs) this.keep({ status, toldMs: browserMs });
    }
    for (const [name, { toldMs }] of this.sessions) {
      if (!listed.has(name) && toldMs < askedMs - LISTING_LAG_MS) this.sessions.delete(name);
    }
    this.unanswered.clear();
    for (const { session, detail } of overview.unanswered) this.unansweredTold(session, detail, browserMs);
  }

  failed(detail: string): void {
    this.trouble = { sinceMs: this.trouble?.sinceMs ?? this.knownMs, detail };
  }

  recovered(browserMs: number): void {
    this.trouble = undefined;
    this.knownMs = browserMs;
  }

  private keep(told: Told): void {
    const { session, phase } = told.status;
    this.unanswered.delete(session);
    if (phase === 'stopped') this.sessions.delete(session);
    else this.sessions.set(session, told);
  }

  private knows(browserMs: number): void {
    if (this.trouble === undefined) this.knownMs = browserMs;
  }
}
