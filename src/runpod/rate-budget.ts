import { quotaWindows, retryAtOf } from './rate-headers.js';

/** Ending a pod may use the whole quota; everything else leaves a share of it untouched. */
export type Use = 'terminate' | 'other';

/** Share of each window that only `terminate` may use. */
const reservedShare = 0.2;
/** The example in RunPod REST v2's specification; holds until the first answer says better. */
const assumedPerMinute = 60;
const knownLengthsMs: Partial<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

interface Window {
  quota: number;
  lengthMs: number;
  remaining: number;
  resetAt: number;
  assumed: boolean;
}

/** What we believe of RunPod's quota. Pure: it neither waits nor knows the time. All times are milliseconds since the epoch. */
export class RateBudget {
  #windows: Map<string, Window>;
  #blockedUntil = 0;

  constructor(now: number) {
    const minute = { quota: assumedPerMinute, remaining: assumedPerMinute, lengthMs: 60_000 };
    this.#windows = new Map([['minute', { ...minute, resetAt: now + minute.lengthMs, assumed: true }]]);
  }

  /** When a request for this use may leave; not later than `now` when it may leave now. */
  availableAt(use: Use, now: number): number {
    this.#roll(now);
    let at = Math.max(now, this.#blockedUntil);
    for (const window of this.#windows.values()) {
      const reserved = Math.min(Math.ceil(window.quota * reservedShare), window.quota - 1);
      if (window.remaining <= (use === 'terminate' ? 0 : reserved)) at = Math.max(at, window.resetAt);
    }
    return at;
  }

  /** Counts a request that leaves now. */
  take(now: number): void {
    this.#roll(now);
    for (const window of this.#windows.values()) window.remaining -= 1;
  }

  /** Learns from an answer. A usable answer without `RateLimit` means that this caller has no quota (REST v2, `RateLimitHeader`). */
  observe(answer: { status: number; headers: Record<string, string>; usable: boolean }, now: number): void {
    this.#roll(now);
    if (answer.status === 429) this.#blockedUntil = Math.max(this.#blockedUntil, retryAtOf(answer.headers, now));
    const seen = quotaWindows(answer.headers);
    if (seen.length === 0) {
      if (answer.usable) this.#windows.clear();
      return;
    }
    const windows = new Map<string, Window>();
    for (const { name, remaining, resetMs, quota, lengthMs } of seen) {
      const known = this.#windows.get(name);
      const length = lengthMs ?? known?.lengthMs ?? knownLengthsMs[name] ?? Math.max(resetMs, 1000);
      const resetAt = now + resetMs;
      // Answers overtake each other: inside one window the quota left can only fall.
      const isSame = known !== undefined && !known.assumed && resetAt < known.resetAt + length / 2;
      windows.set(name, {
        quota: Math.max(1, quota ?? known?.quota ?? remaining),
        lengthMs: length,
        remaining: isSame ? Math.min(known.remaining, remaining) : remaining - uncounted(known),
        resetAt,
        assumed: false,
      });
    }
    this.#windows = windows;
  }

  #roll(now: number): void {
    for (const window of this.#windows.values()) {
      if (now < window.resetAt) continue;
      window.resetAt += Math.ceil((now - window.resetAt + 1) / window.lengthMs) * window.lengthMs;
      window.remaining = window.quota;
    }
  }
}

/** At the first answer all others that left before it may still be on their way: RunPod has not counted them. */
function uncounted(known: Window | undefined): number {
  return known?.assumed ? Math.max(0, known.quota - known.remaining - 1) : 0;
}
