import { Problem } from './http.js';
import type { Settings } from './settings.js';

const windows = [
  { name: 'minute', seconds: 60 },
  { name: 'hour', seconds: 3600 },
  { name: 'day', seconds: 86_400 },
] as const;
type WindowName = (typeof windows)[number]['name'];

/** The account's quota: fixed windows on the clock, all keys of the account together (RunPod REST v2: "per-user"). */
export class RateLimiter {
  private readonly used = new Map<WindowName, { startedAtMs: number; count: number }>();

  /** Counts one request, or throws the 429 of the window that refuses it. A refused request is not counted. */
  spend(quota: NonNullable<Settings['quota']>, nowMs: number): void {
    const exhausted = windows.filter(({ name, seconds }) => this.state(name, seconds, nowMs).count >= quota[name]);
    const longest = exhausted.at(-1);
    if (longest) {
      throw new Problem(429, `rate limit exceeded for the ${longest.name} window`, {
        headers: { 'retry-after': String(resetSeconds(longest.seconds, nowMs)) },
      });
    }
    for (const { name, seconds } of windows) this.state(name, seconds, nowMs).count += 1;
  }

  /** `RateLimit` and `RateLimit-Policy` of the IETF draft: remaining `r`, seconds to the reset `t`; quota `q`, window `w`. */
  headers(quota: NonNullable<Settings['quota']>, nowMs: number): Record<string, string> {
    const remaining = windows.map(({ name, seconds }) => {
      const left = Math.max(0, quota[name] - this.state(name, seconds, nowMs).count);
      return `"${name}";r=${left};t=${resetSeconds(seconds, nowMs)}`;
    });
    return {
      ratelimit: remaining.join(', '),
      'ratelimit-policy': windows.map(({ name, seconds }) => `"${name}";q=${quota[name]};w=${seconds}`).join(', '),
    };
  }

  private state(name: WindowName, seconds: number, nowMs: number): { startedAtMs: number; count: number } {
    const startedAtMs = windowStartMs(seconds, nowMs);
    const current = this.used.get(name);
    if (current?.startedAtMs === startedAtMs) return current;
    const fresh = { startedAtMs, count: 0 };
    this.used.set(name, fresh);
    return fresh;
  }
}

const windowStartMs = (seconds: number, nowMs: number): number => nowMs - (nowMs % (seconds * 1000));

/** At least 1: a client that waits 0 seconds would only meet the same window again. */
const resetSeconds = (seconds: number, nowMs: number): number =>
  Math.max(1, Math.ceil((windowStartMs(seconds, nowMs) + seconds * 1000 - nowMs) / 1000));
