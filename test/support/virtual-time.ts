interface Timer {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Promise turns that a call through the clients may take between two sleeps. */
const SETTLE_TURNS = 12;

/** Time that moves only while `run` waits: from one sleeper to the next, in their order. */
export class VirtualTime {
  nowMs = Date.parse('2026-06-01T00:00:00.000Z');
  private timers: Timer[] = [];

  readonly clock = (): number => this.nowMs;

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(new Error('sleep aborted'));
        return;
      }
      const onAbort = (): void => {
        this.timers = this.timers.filter((other) => other !== timer);
        reject(new Error('sleep aborted'));
      };
      const timer = this.at(this.nowMs + ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });

  /** Lets something happen at that moment. */
  at(atMs: number, wake: () => void): Timer {
    const timer = { atMs, wake };
    this.timers.push(timer);
    return timer;
  }

  /** The process stands still meanwhile: nobody wakes at the right moment. */
  freeze(ms: number): void {
    this.nowMs += ms;
  }

  /** Lets time pass until the work is done. @throws when the work needs more than `atMostMs`, or waits for nothing */
  async run<T>(work: Promise<T>, atMostMs = 4 * 3_600_000): Promise<T> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    work.then(end, end);
    const untilMs = this.nowMs + atMostMs;
    for (;;) {
      await settle(() => done);
      if (done) return await work;
      const next = this.timers.reduce<Timer | undefined>(
        (first, timer) => (first && first.atMs <= timer.atMs ? first : timer),
        undefined,
      );
      if (!next) throw new Error('the work waits for something that no timer brings');
      if (next.atMs > untilMs) throw new Error(`the work is not done after ${atMostMs / 1000} s`);
      this.timers = this.timers.filter((timer) => timer !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.wake();
    }
  }
}

async function settle(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS && !done(); turn++) await new Promise((resolve) => setImmediate(resolve));
}
