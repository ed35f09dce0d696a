import type { Cancel, Kernel } from '../../kernel/kernel.js';

interface Held {
  readonly act: () => void;
  cancelled: boolean;
}

/** What the server does by itself: timers, timeouts, retries. While it is down time goes on, and all is late. */
export class ServerClock {
  private up = true;
  private held: Held[] = [];

  constructor(readonly kernel: Kernel) {}

  get isUp(): boolean {
    return this.up;
  }

  get nowMs(): number {
    return this.kernel.nowMs;
  }

  at(atMs: number, act: () => void): Cancel {
    const planned: Held = { act, cancelled: false };
    const cancel = this.kernel.at(atMs, () => {
      if (planned.cancelled) return;
      if (this.up) act();
      else this.held.push(planned);
    });
    return () => {
      planned.cancelled = true;
      cancel();
    };
  }

  /** The server's own work: a few milliseconds. */
  soon(act: () => void): Cancel {
    return this.at(this.kernel.soon(1, 10), act);
  }

  setUp(up: boolean): void {
    this.up = up;
    if (!up) return;
    for (const planned of this.held.splice(0))
      this.at(this.kernel.soon(0, 50), () => {
        if (!planned.cancelled) planned.act();
      });
  }
}
