import { RateBudget, type Use } from './rate-budget.js';
import type { Clock, Sleep } from './time.js';

/** Others than DELETE are refused rather than kept waiting longer than this: the caller should say what it waits for. */
const maxOtherWaitMs = 90_000;
/** A DELETE leaves after this in any case: what we believe of the quota may be wrong, and a pod goes on billing. */
const maxTerminateWaitMs = 60_000;

/** The quota is used up for longer than a request waits. */
export class QuotaExhausted extends Error {
  /** Milliseconds since the epoch. */
  readonly retryAt: number;

  constructor(retryAt: number) {
    super('the quota is used up');
    this.retryAt = retryAt;
  }
}

interface Waiter {
  leaveBy: number;
  go: () => void;
  refuse: (error: QuotaExhausted) => void;
}

/** The one gate through which a client's requests leave: first come, first served, but DELETE before all others. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #sleep: Sleep;
  readonly #budget: RateBudget;
  readonly #queues: Record<Use, Waiter[]> = { terminate: [], other: [] };
  #alarm: AbortController | undefined;

  constructor(options: { clock: Clock; sleep: Sleep }) {
    this.#clock = options.clock;
    this.#sleep = options.sleep;
    this.#budget = new RateBudget(options.clock());
  }

  /**
   * Resolves when a request may leave, which is then counted.
   * @throws QuotaExhausted when the wait would be too long, and the signal's reason when it aborts.
   */
  async acquire(use: Use, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const queue = this.#queues[use];
    let waiter: Waiter | undefined;
    let onAbort: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const leaveBy = use === 'terminate' ? this.#clock() + maxTerminateWaitMs : Infinity;
        waiter = { leaveBy, go: resolve, refuse: reject };
        onAbort = () => {
          reject(signal?.reason as Error);
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        queue.push(waiter);
        this.#pump();
      });
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      const index = waiter === undefined ? -1 : queue.indexOf(waiter);
      if (index >= 0) {
        queue.splice(index, 1);
        this.#pump();
      }
    }
  }

  /** Learns from an answer; `usable` when it came from RunPod and could be read. */
  observe(answer: { status: number; headers: Record<string, string>; usable: boolean }): void {
    this.#budget.observe(answer, this.#clock());
    this.#pump();
  }

  #pump(): void {
    this.#alarm?.abort();
    this.#alarm = undefined;
    for (;;) {
      const now = this.#clock();
      const use: Use = this.#queues.terminate.length > 0 ? 'terminate' : 'other';
      const first = this.#queues[use][0];
      if (first === undefined) return;
      const at = Math.min(this.#budget.availableAt(use, now), first.leaveBy);
      const isTooLong = use === 'other' && at - now > maxOtherWaitMs;
      if (at > now && !isTooLong) {
        this.#wakeIn(at - now);
        return;
      }
      this.#queues[use].shift();
      if (isTooLong) {
        first.refuse(new QuotaExhausted(at));
      } else {
        this.#budget.take(now);
        first.go();
      }
    }
  }

  #wakeIn(ms: number): void {
    const alarm = new AbortController();
    this.#alarm = alarm;
    this.#sleep(ms, alarm.signal).then(
      () => {
        if (this.#alarm === alarm) this.#pump();
      },
      () => undefined,
    );
  }
}
