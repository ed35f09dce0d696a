import { describe, expect, it } from 'vitest';
import { QuotaExhausted, RateLimiter } from '../../../src/runpod/rate-limit.js';
import { failureOf, settle, VirtualTime } from './support.js';

function limiter() {
  const time = new VirtualTime();
  return { time, limiter: new RateLimiter({ clock: time.clock, sleep: time.sleep }) };
}

/** A server with one fixed window a minute, as RunPod describes its quota. */
class FakeQuota {
  used = 0;
  refused = 0;
  #window = 0;

  constructor(
    readonly time: VirtualTime,
    readonly quota: number,
    readonly startedAt = time.now,
  ) {}

  answer() {
    const elapsed = this.time.now - this.startedAt;
    const window = Math.floor(elapsed / 60_000);
    if (window !== this.#window) {
      this.#window = window;
      this.used = 0;
    }
    const reset = Math.ceil((60_000 - (elapsed % 60_000)) / 1000);
    const isRefused = this.used >= this.quota;
    if (isRefused) this.refused += 1;
    else this.used += 1;
    const headers = {
      ratelimit: `"minute";r=${this.quota - this.used};t=${reset}`,
      'ratelimit-policy': `"minute";q=${this.quota};w=60`,
      ...(isRefused ? { 'retry-after': String(reset) } : {}),
    };
    return { status: isRefused ? 429 : 200, headers, usable: !isRefused };
  }
}

describe('RateLimiter', () => {
  it('never lets 20 boots hold back a delete', async () => {
    const { time, limiter: gate } = limiter();
    const server = new FakeQuota(time, 60);
    const call = async (use: 'terminate' | 'other') => {
      await gate.acquire(use);
      const answer = server.answer();
      gate.observe(answer);
      return answer.status;
    };
    let bootCalls = 0;
    const boots = Array.from({ length: 20 }, async () => {
      for (let step = 0; step < 15; step += 1) {
        expect(await call('other')).toBe(200);
        bootCalls += 1;
      }
    });
    const waits: number[] = [];
    const deletes = Array.from({ length: 30 }, async (_, index) => {
      await time.sleep(index * 6000);
      const asked = time.now;
      expect(await call('terminate')).toBe(200);
      waits.push(time.now - asked);
    });
    await time.advance(8 * 60_000);
    await Promise.all([...boots, ...deletes]);
    expect(bootCalls).toBe(300);
    expect(waits).toHaveLength(30);
    expect(Math.max(...waits)).toBe(0);
    expect(server.refused).toBe(0);
  });

  it('serves deletes before others when the quota comes back', async () => {
    const { time, limiter: gate } = limiter();
    gate.observe({ status: 429, usable: false, headers: { 'retry-after': '10' } });
    const order: string[] = [];
    void gate.acquire('other').then(() => order.push('other'));
    void gate.acquire('terminate').then(() => order.push('terminate'));
    await time.advance(9_999);
    expect(order).toEqual([]);
    await time.advance(1);
    expect(order).toEqual(['terminate', 'other']);
  });

  it('sends a delete after a minute whatever it believes', async () => {
    const { time, limiter: gate } = limiter();
    gate.observe({ status: 429, usable: false, headers: { 'retry-after': '3600' } });
    let left: number | undefined;
    const asked = time.now;
    void gate.acquire('terminate').then(() => (left = time.now));
    await time.advance(120_000);
    expect(left).toBe(asked + 60_000);
  });

  it('refuses others at once when the wait would be long, and says until when', async () => {
    const { time, limiter: gate } = limiter();
    gate.observe({ status: 429, usable: false, headers: { 'retry-after': '3600' } });
    const error = await failureOf<QuotaExhausted>(gate.acquire('other'));
    expect(error).toBeInstanceOf(QuotaExhausted);
    expect(error.retryAt).toBe(time.now + 3_600_000);
  });

  it('lets the waiting go when an answer brings better news', async () => {
    const { limiter: gate } = limiter();
    await Promise.all(Array.from({ length: 48 }, () => gate.acquire('other')));
    let isThrough = false;
    void gate.acquire('other').then(() => (isThrough = true));
    await settle();
    expect(isThrough).toBe(false);
    gate.observe({ status: 200, usable: true, headers: {} });
    await settle();
    expect(isThrough).toBe(true);
  });

  it('frees the place of a caller that gives up, and leaves no timer behind', async () => {
    const { time, limiter: gate } = limiter();
    gate.observe({ status: 429, usable: false, headers: { 'retry-after': '10' } });
    const caller = new AbortController();
    const given = failureOf(gate.acquire('other', caller.signal));
    let isThrough = false;
    const second = new AbortController();
    const other = gate.acquire('other', second.signal).then(() => (isThrough = true));
    caller.abort(new Error('enough'));
    expect((await given).message).toBe('enough');
    await time.advance(10_000);
    await other;
    expect(isThrough).toBe(true);
    expect(time.sleeping).toBe(0);
    expect((await failureOf(gate.acquire('other', caller.signal))).message).toBe('enough');
  });
});
