import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Lease, type LeaseSession } from '../../../src/client/lease-handle.js';
import { DevloopError, type Grant, type LeaseAnswer } from '../../../src/contract/index.js';

const grant = (podId: string): Grant => ({
  leaseId: 'lease',
  podId,
  podName: `devloop.me-1.s.run.1.${podId}`,
  endpoint: `http://${podId}.example`,
  api: 'openai',
  model: 'm',
  expiresAt: '2026-01-01T00:00:00Z',
});
const granted = (podId: string): LeaseAnswer => ({ state: 'granted', grant: grant(podId) });
const queued: LeaseAnswer = { state: 'queued', position: 3 };

/** A session that gives its answers one after the other, the last one for ever. */
class Session implements LeaseSession {
  asked = 0;
  readonly told: string[] = [];

  constructor(private readonly answers: readonly (LeaseAnswer | Error)[]) {}

  ask(): Promise<LeaseAnswer> {
    const answer = this.answers[Math.min(this.asked, this.answers.length - 1)]!;
    this.asked += 1;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }

  tellUse(_leaseId: string, atMs: number): Promise<void> {
    this.told.push(`used ${atMs}`);
    return Promise.resolve();
  }

  report(podId: string, problem: string): Promise<void> {
    this.told.push(`${podId}: ${problem}`);
    return Promise.resolve();
  }

  giveBack(): Promise<void> {
    this.told.push('given back');
    return Promise.resolve();
  }
}

vi.mock('node:timers/promises', () => ({ setTimeout: virtualDelay }));

/** Waits of the lease, in order; the test lets them pass. */
const waits: { ms: number; pass: () => void }[] = [];

function virtualDelay(ms: number, value: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    waits.push({
      ms,
      pass: () => {
        resolve(value);
      },
    });
    signal?.addEventListener('abort', () => {
      reject(new Error('aborted'));
    });
  });
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets the newest wait pass. @returns how long it was */
async function pass(): Promise<number> {
  const wait = waits.pop()!;
  wait.pass();
  await settled();
  return wait.ms;
}

describe('a lease of a program outside Temporal', () => {
  beforeEach(() => {
    waits.length = 0;
  });

  it('asks again every 5 s while it is in the queue, and says its place', async () => {
    const places: number[] = [];
    const session = new Session([queued, queued, granted('a')]);
    const taken = Lease.take(session, { onQueued: (place) => places.push(place) });
    await settled();
    expect(await pass()).toBe(5000);
    expect(await pass()).toBe(5000);
    expect((await taken).grant.podId).toBe('a');
    expect(places).toEqual([3, 3]);
  });

  it('renews three times in its TTL; without a pod it asks every 5 s until there is another one', async () => {
    const session = new Session([granted('a'), granted('a'), queued, queued, granted('b')]);
    const lease = await Lease.take(session, { ttlSeconds: 120 });
    expect(await pass()).toBe(40_000);
    expect(lease.grant.podId).toBe('a');
    expect(await pass()).toBe(40_000);
    expect(() => lease.grant).toThrow(expect.objectContaining({ code: 'POD_LOST' }));
    expect(await pass()).toBe(5000);
    expect(await pass()).toBe(5000);
    expect(lease.grant.podId).toBe('b');
    expect(waits.at(-1)?.ms).toBe(40_000);
  });

  it('goes on when Temporal cannot be asked, and ends with the reason when the session has', async () => {
    const away = new DevloopError('TEMPORAL_UNREACHABLE', 'away');
    const over = new DevloopError('LEASE_REVOKED', 'over');
    const lease = await Lease.take(new Session([granted('a'), away, granted('a'), over]));
    await pass();
    await pass();
    expect(lease.grant.podId).toBe('a');
    await pass();
    expect(() => lease.grant).toThrow(over);
    expect(waits).toEqual([]);
  });

  it('tells of a use once, with the next renewal, and of the newest only', async () => {
    const session = new Session([granted('a')]);
    const lease = await Lease.take(session);
    await pass();
    expect(session.told).toEqual([]);
    lease.used(2000);
    lease.used(1000);
    await pass();
    await pass();
    expect(session.told).toEqual(['used 2000']);
  });

  it('tells at once of the first use after a silence, in which the idle time may have run', async () => {
    const session = new Session([granted('a')]);
    const lease = await Lease.take(session, { ttlSeconds: 120 });
    lease.used(100_000);
    await settled();
    expect(session.told).toEqual(['used 100000']);
    lease.used(139_999);
    await settled();
    expect(session.told).toHaveLength(1);
    await pass();
    expect(session.told).toHaveLength(2);
    lease.used(179_999);
    await settled();
    expect(session.told.at(-1)).toBe('used 179999');
  });

  it('tells with every beat of a use that is not over, once more when it is, and then no more', async () => {
    const session = new Session([granted('a')]);
    const lease = await Lease.take(session, { ttlSeconds: 120 });
    vi.useFakeTimers({ toFake: ['Date'], now: 100_000 });
    try {
      let end: (answer: string) => void = () => undefined;
      const using = lease.use(() => new Promise<string>((resolve) => (end = resolve)));
      await settled();
      for (const nowMs of [140_000, 180_000]) {
        vi.setSystemTime(nowMs);
        expect(await pass()).toBe(40_000);
      }
      expect(session.told).toEqual(['used 100000', 'used 140000', 'used 180000']);
      vi.setSystemTime(190_000);
      end('the answer');
      expect(await using).toBe('the answer');
      for (let beat = 0; beat < 3; beat++) await pass();
      expect(session.told.slice(3)).toEqual(['used 190000']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('passes on what a use fails with, and takes it for over', async () => {
    const session = new Session([granted('a')]);
    const lease = await Lease.take(session, { ttlSeconds: 120 });
    await expect(lease.use(() => Promise.reject(new Error('HTTP 500')))).rejects.toThrow('HTTP 500');
    await settled();
    await pass();
    const { length } = session.told;
    await pass();
    expect(session.told).toHaveLength(length);
  });

  it('tells of a use that comes while it asks for its lease', async () => {
    const session = new Session([granted('a')]);
    const lease = await Lease.take(session, { ttlSeconds: 120 });
    vi.spyOn(session, 'ask').mockImplementationOnce(() => {
      lease.used(100_000);
      return Promise.resolve(granted('a'));
    });
    await pass();
    await settled();
    expect(session.told).toEqual(['used 100000']);
  });

  it('does not hurry again before the next beat when Temporal cannot be told', async () => {
    const session = new Session([granted('a')]);
    const lease = await Lease.take(session, { ttlSeconds: 120 });
    const tell = vi.spyOn(session, 'tellUse').mockRejectedValue(new DevloopError('TEMPORAL_UNREACHABLE', 'away'));
    for (const atMs of [100_000, 101_000, 102_000]) {
      lease.used(atMs);
      await settled();
    }
    expect(tell).toHaveBeenCalledTimes(1);
    await pass();
    expect(tell).toHaveBeenCalledTimes(2);
  });

  it('tells of nothing more once it has been given back', async () => {
    const session = new Session([granted('a')]);
    const lease = await Lease.take(session, { ttlSeconds: 120 });
    await lease.release();
    lease.used(100_000);
    await settled();
    expect(session.told).toEqual(['given back']);
  });

  it('tells of a pod that does not serve by the id of the pod that it has', async () => {
    const session = new Session([granted('a')]);
    await (await Lease.take(session)).report('HTTP 404');
    expect(session.told).toEqual(['a: HTTP 404']);
  });

  it.each([
    [480, 40_000, 1],
    [30, 10_000, 4],
    [5, 5000 / 3, 24],
  ])(
    'with an idle time of %i s tells of uses every %i ms, and asks as ever',
    async (idleTimeoutSeconds, beatMs, beats) => {
      const session = new Session([{ state: 'granted', grant: { ...grant('a'), idleTimeoutSeconds } }]);
      const lease = await Lease.take(session, { ttlSeconds: 120 });
      for (let beat = 1; beat <= beats; beat++) {
        expect(session.asked).toBe(1);
        lease.used(beat);
        expect(await pass()).toBeCloseTo(beatMs);
      }
      expect(session.told).toHaveLength(beats);
      expect(session.asked).toBe(2);
    },
  );

  it('gives itself back once, and its place when it leaves the queue', async () => {
    const session = new Session([granted('a')]);
    const lease = await Lease.take(session);
    await lease.release();
    await lease.release();
    expect(session.told).toEqual(['given back']);

    const waiting = new Session([queued]);
    const leaving = new AbortController();
    const taken = Lease.take(waiting, { signal: leaving.signal });
    await settled();
    leaving.abort(new Error('left'));
    await expect(taken).rejects.toThrow('left');
    expect(waiting.told).toEqual(['given back']);
  });
});
