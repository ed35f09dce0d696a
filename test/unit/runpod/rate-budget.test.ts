import { describe, expect, it } from 'vitest';
import { RateBudget } from '../../../src/runpod/rate-budget.js';
import { quotaWindows } from '../../../src/runpod/rate-headers.js';

const start = Date.UTC(2026, 0, 1);
const quota = (remaining: number, resetSeconds: number, limit = 60) => ({
  status: 200,
  usable: true,
  headers: {
    ratelimit: `"minute";r=${remaining};t=${resetSeconds}, "hour";r=2800;t=1812`,
    'ratelimit-policy': `"minute";q=${limit};w=60, "hour";q=3000;w=3600`,
  },
});

/** How many may leave at this moment. */
function drain(budget: RateBudget, use: 'terminate' | 'other', now: number): number {
  let taken = 0;
  while (taken < 10_000 && budget.availableAt(use, now) <= now) {
    budget.take(now);
    taken += 1;
  }
  return taken;
}

describe('quotaWindows', () => {
  it('reads the example of the specification', () => {
    expect(quotaWindows({ ratelimit: '"minute";r=0;t=12, "hour";r=2800;t=1812, "day";r=49500;t=45012' })).toEqual([
      { name: 'minute', remaining: 0, resetMs: 12_000 },
      { name: 'hour', remaining: 2800, resetMs: 1_812_000 },
      { name: 'day', remaining: 49_500, resetMs: 45_012_000 },
    ]);
    expect(quotaWindows(quota(59, 60).headers)[0]).toMatchObject({ quota: 60, lengthMs: 60_000 });
  });

  it('ignores what it cannot read', () => {
    expect(quotaWindows({ ratelimit: 'limit=60, ;;, "minute";r=x;t=1' })).toEqual([]);
    expect(quotaWindows({})).toEqual([]);
  });
});

describe('RateBudget', () => {
  it('keeps a fifth of the quota for terminate', () => {
    const budget = new RateBudget(start);
    expect(drain(budget, 'other', start)).toBe(48);
    expect(drain(budget, 'terminate', start)).toBe(12);
    expect(budget.availableAt('terminate', start)).toBe(start + 60_000);
  });

  it('starts again when the window does', () => {
    const budget = new RateBudget(start);
    drain(budget, 'terminate', start);
    expect(budget.availableAt('other', start + 59_999)).toBe(start + 60_000);
    expect(drain(budget, 'other', start + 60_000)).toBe(48);
    expect(drain(budget, 'terminate', start + 10 * 60_000)).toBe(60);
  });

  it('believes the server: others use the same key', () => {
    const budget = new RateBudget(start);
    budget.observe(quota(20, 30), start);
    expect(drain(budget, 'other', start)).toBe(8);
    expect(budget.availableAt('other', start)).toBe(start + 30_000);
    expect(drain(budget, 'terminate', start)).toBe(12);
  });

  it('is not misled by an answer that another one overtook', () => {
    const budget = new RateBudget(start);
    budget.observe(quota(20, 30), start);
    budget.observe(quota(59, 30), start + 100);
    expect(drain(budget, 'terminate', start + 100)).toBe(20);
  });

  it('does not take the first answer for word of those that left with it', () => {
    const budget = new RateBudget(start);
    for (let i = 0; i < 48; i++) budget.take(start);
    budget.observe(quota(59, 60), start + 10);
    expect(drain(budget, 'terminate', start + 10)).toBe(12);
  });

  it('takes the first answer of a new window as it is', () => {
    const budget = new RateBudget(start);
    budget.observe(quota(0, 5), start);
    budget.observe(quota(59, 60), start + 5100);
    expect(drain(budget, 'terminate', start + 5100)).toBe(59);
  });

  it('learns a larger quota', () => {
    const budget = new RateBudget(start);
    budget.observe(quota(176, 60, 180), start);
    expect(drain(budget, 'other', start)).toBe(176 - 36);
  });

  it('is held by the window that is exhausted longest', () => {
    const budget = new RateBudget(start);
    budget.observe(
      { status: 200, usable: true, headers: { ratelimit: '"minute";r=50;t=30, "hour";r=0;t=900' } },
      start,
    );
    expect(budget.availableAt('terminate', start)).toBe(start + 900_000);
  });

  it('waits out a 429, whatever it believed', () => {
    const budget = new RateBudget(start);
    budget.observe({ status: 429, usable: false, headers: { 'retry-after': '12' } }, start);
    expect(budget.availableAt('terminate', start)).toBe(start + 12_000);
    expect(budget.availableAt('other', start + 12_000)).toBe(start + 12_000);
  });

  it('has no limit for a caller whose usable answers carry no quota', () => {
    const budget = new RateBudget(start);
    budget.observe({ status: 502, usable: false, headers: {} }, start);
    expect(drain(budget, 'other', start)).toBe(48);
    budget.observe({ status: 200, usable: true, headers: {} }, start);
    expect(drain(budget, 'other', start)).toBe(10_000);
  });

  it('lets others through even when the quota is one', () => {
    const budget = new RateBudget(start);
    budget.observe(quota(1, 60, 1), start);
    expect(drain(budget, 'other', start)).toBe(1);
  });
});
