import { isoTime } from './http.js';

export type KeyKind = 'account' | 'pod' | 'none';

/** One call to the API. `status` is 0 where no reply was given. */
export interface LoggedRequest {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly key: KeyKind;
  readonly podId?: string;
}

const capacity = 10_000;

/** The last calls to the API, for tests that ask what was called and when. */
export class RequestLog {
  private entries: LoggedRequest[] = [];
  private dropped = 0;

  add(nowMs: number, entry: Omit<LoggedRequest, 'at'>): void {
    this.entries.push({ at: isoTime(nowMs), ...entry });
    // Cut in blocks: shifting the array at every call would cost its whole length each time.
    if (this.entries.length >= capacity * 1.1) {
      const surplus = this.entries.length - capacity;
      this.entries = this.entries.slice(surplus);
      this.dropped += surplus;
    }
  }

  describe(): { requests: readonly LoggedRequest[]; dropped: number } {
    return { requests: this.entries, dropped: this.dropped };
  }
}
