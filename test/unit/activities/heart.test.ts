import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { withHeart, type Heart } from '../../../src/activities/heart.js';
import { RunPodError } from '../../../src/runpod/index.js';
import { VirtualTime } from '../../support/virtual-time.js';

const TIMEOUT_MS = 10_000;

async function live(work: (heart: Heart, time: VirtualTime) => Promise<void>, heartbeatDetails?: unknown) {
  const time = new VirtualTime();
  const env = new MockActivityEnvironment(
    { heartbeatTimeoutMs: TIMEOUT_MS, heartbeatDetails },
    { logger: new DefaultLogger('ERROR') },
  );
  const beats: { atMs: number; details: unknown }[] = [];
  const beganMs = time.nowMs;
  env.on('heartbeat', (details) => beats.push({ atMs: time.nowMs - beganMs, details }));
  const done = env.run(() => withHeart(time, (heart) => work(heart, time)));
  await time.run(done);
  return { beats, time };
}

describe('a heart', () => {
  it('beats several times within its timeout, from the first moment on', async () => {
    const { beats } = await live((_heart, time) => time.sleep(60_000));
    const moments = beats.map(({ atMs }) => atMs);
    expect(moments[0]).toBe(0);
    const gaps = moments.slice(1).map((atMs, i) => atMs - (moments[i] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(TIMEOUT_MS / 4);
  });

  it('ends with the work, and leaves no timer', async () => {
    const { beats, time } = await live((_heart, clock) => clock.sleep(100));
    const count = beats.length;
    await expect(time.run(new Promise(() => undefined))).rejects.toThrow('no timer');
    expect(beats).toHaveLength(count);
  });

  it('repeats the newest details', async () => {
    const { beats } = await live(async (heart, time) => {
      heart.tell({ step: 1 });
      await time.sleep(3000);
      heart.tell({ step: 2 });
      await time.sleep(3000);
    });
    expect(beats.at(-1)?.details).toEqual({ step: 2 });
    expect(beats.filter(({ atMs }) => atMs === 2500).map(({ details }) => details)).toEqual([{ step: 1 }]);
  });

  it('keeps what the attempt before it told until it has something to tell itself', async () => {
    const { beats } = await live((_heart, time) => time.sleep(5000), { podIds: ['a'] });
    expect(beats.map(({ details }) => details)).toEqual(beats.map(() => ({ podIds: ['a'] })));
  });

  it.each([
    ['awake all the time', 0, false, false],
    ['frozen for a moment', 4000, false, false],
    ['frozen so long that the server may have given up', 6000, true, false],
    ['frozen beyond its timeout', 10_001, true, true],
  ])('%s', async (_what, frozenMs, mayBeReplaced, isDead) => {
    let failure: unknown;
    let beatsAfter = 0;
    const { beats } = await live(async (heart, time) => {
      time.freeze(frozenMs);
      try {
        heart.assertAlive();
      } catch (error) {
        failure = error;
      }
      await time.sleep(20_000);
      beatsAfter = 1;
    });
    expect(failure instanceof RunPodError && failure.kind === 'nothing-created').toBe(mayBeReplaced);
    expect(beats.length > 1).toBe(!isDead);
    expect(beatsAfter).toBe(1);
  });

  it('passes on what the work throws', async () => {
    await expect(live(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});
