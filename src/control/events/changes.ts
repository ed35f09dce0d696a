import type { ListedJob } from '../../client/index.js';
import { essenceOf } from '../../client/internal.js';
import type { SessionsLook } from '../running-sessions.js';

export interface Look extends SessionsLook {
  readonly jobs: readonly ListedJob[];
}

/** `data` is a SessionStatus, a ListedJob, an Unanswered, `{code, detail}`, or nothing. */
export interface FeedEvent {
  readonly event: 'session' | 'job' | 'unanswered' | 'problem' | 'recovered';
  readonly data: object;
}

/** What is new in a look at all sessions and jobs. Pure: looks go in, events come out. */
export class Changes {
  private seen = new Map<string, { readonly fingerprint: string; readonly event: FeedEvent }>();
  private trouble: FeedEvent | undefined;

  /** The events since the look before; all of it, the first time. */
  of(look: Look): FeedEvent[] {
    const events: FeedEvent[] = this.trouble === undefined ? [] : [{ event: 'recovered', data: {} }];
    this.trouble = undefined;
    const next: typeof this.seen = new Map();
    const enter = (key: string, fingerprint: string, event: FeedEvent): void => {
      next.set(key, { fingerprint, event });
      if (this.seen.get(key)?.fingerprint !== fingerprint) events.push(event);
    };
    for (const status of look.sessions) {
      enter(`session/${status.session}`, JSON.stringify(essenceOf(status)), { event: 'session', data: status });
    }
    for (const unanswered of look.unanswered) {
      enter(`session/${unanswered.session}`, unanswered.code, { event: 'unanswered', data: unanswered });
    }
    for (const job of look.jobs) enter(`job/${job.jobId}`, JSON.stringify(job), { event: 'job', data: job });
    this.seen = next;
    return events;
  }

  /** A look that could not be had: said once for each code. What was seen before stays. */
  failed(code: string, detail: string): FeedEvent[] {
    const event: FeedEvent = { event: 'problem', data: { code, detail } };
    const isNew = (this.trouble?.data as { code?: string } | undefined)?.code !== code;
    this.trouble = event;
    return isNew ? [event] : [];
  }

  /** All that somebody has to know who comes now. */
  present(): FeedEvent[] {
    const present = [...this.seen.values()].map(({ event }) => event);
    return this.trouble === undefined ? present : [...present, this.trouble];
  }

  /** Sessions that had not ended when they were last seen: the listing shows no end. */
  openSessions(): string[] {
    return [...this.seen.values()].flatMap(({ event: { event, data } }) => {
      const { session, phase } = data as { session?: string; phase?: string };
      return event === 'session' && session !== undefined && phase !== 'stopped' ? [session] : [];
    });
  }
}
