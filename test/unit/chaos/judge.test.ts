import { describe, expect, it } from 'vitest';
import { CONFIG } from '../../chaos/bounds.js';
import { judgePods, overlapSeconds, phaseAt } from '../../chaos/judge.js';
import type { UseNote } from '../../chaos/model-server.js';
import type { LedgerPod } from '../../support/emulator.js';

const at = (seconds: number): string => new Date(seconds * 1000).toISOString();
const pod = (created: number, ended: number | null, id = 'pod'): LedgerPod => ({
  id,
  name: `devloop.chaos-00000000.s.run.1.99`,
  status: ended === null ? 'RUNNING' : 'TERMINATED',
  createdAt: at(created),
  terminatedAt: ended === null ? null : at(ended),
  billedSeconds: 0,
  costUsd: 0,
});
const note = (seconds: number, what: UseNote['what'], id = 1): UseNote => ({
  podId: 'pod',
  atMs: seconds * 1000,
  what,
  id,
  path: '/v1/chat/completions',
});
const facts = { session: 's' };
const extra = (one: LedgerPod, notes: UseNote[], more = {}, nowSeconds = 500): number | undefined =>
  judgePods([one], notes, { ...facts, ...more }, nowSeconds * 1000)[0]?.extraSeconds;

describe('the seconds that a pod bills too long', () => {
  const { idleSeconds: idle, readySeconds: ready, drainSeconds: drain } = CONFIG;

  it('count from its last use and the idle time', () => {
    expect(extra(pod(0, 20 + idle + 7), [note(10, 'begin'), note(20, 'end')])).toBe(7);
  });

  it('count from its time to become ready where nobody used it', () => {
    expect(extra(pod(5, 5 + ready + 2), [])).toBe(2);
  });

  it('count from the stop that was asked for', () => {
    const uses = [note(10, 'begin'), note(20, 'end')];
    expect(extra(pod(0, 25), uses, { stopAskedMs: 22_000 })).toBe(3);
  });

  it('leave a job its drain, and no more', () => {
    expect(extra(pod(0, 30), [note(10, 'begin'), note(26, 'end')], { stopAskedMs: 22_000 })).toBe(4);
    const endless = [note(10, 'begin')];
    expect(extra(pod(0, 22 + drain + 9), endless, { stopAskedMs: 22_000 })).toBe(9);
  });

  it('go on for as long as it lives', () => {
    expect(extra(pod(0, null), [note(10, 'begin'), note(20, 'end')], {}, 20 + idle + 300)).toBe(300);
  });

  it('count from the kill where the model server died in the middle of an answer', () => {
    const uses = [note(10, 'begin'), note(32, 'start')];
    expect(extra(pod(0, 30 + idle + 5), uses, { podKilledMs: 30_000 })).toBe(5);
  });

  it('are none for a pod that ends early', () => {
    expect(extra(pod(0, 21), [note(10, 'begin'), note(20, 'end')])).toBe(0);
  });
});

describe('the phase that was really struck', () => {
  const one = pod(5, null);
  const served = [note(10, 'begin'), note(20, 'end')];
  it.each([
    ['create', [one], [], 4, undefined],
    ['boot', [one], [], 6, undefined],
    ['serve', [one], served, 15, undefined],
    ['idle', [one], served, 21, undefined],
    ['drain', [one], served, 15, 14_000],
    ['stop', [one], served, 21, 20_500],
    ['gone', [pod(5, 30)], served, 31, undefined],
  ] as const)('is %s', (phase, pods, notes, seconds, stopAskedMs) => {
    expect(phaseAt(pods, notes, { ...facts, stopAskedMs }, seconds * 1000)).toBe(phase);
  });
});

it('two pods of a session that bill at once are seen', () => {
  expect(overlapSeconds([pod(0, 20, 'a'), pod(14, 40, 'b'), pod(41, 50, 'c')], 60_000)).toBe(6);
  expect(overlapSeconds([pod(0, 20, 'a')], 60_000)).toBe(0);
});
