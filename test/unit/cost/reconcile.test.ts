import { describe, expect, it } from 'vitest';
import { reconcile, UNBILLED_SECONDS, wantsAttention, type Billed } from '../../../src/cost/reconcile.js';
import type { SessionFacts } from '../../../src/cost/session-facts.js';
import { at, podOf, sessionOf } from './session-story.js';

const UNTIL = Date.parse(at('03T08:00:00'));
const bill = (podId: string, day: string, computeUsd: number): Billed => ({ podId, day, computeUsd, diskUsd: 0.005 });

function lines(
  sessions: SessionFacts[],
  billed: Billed[],
  names: Record<string, { name: string; ours: boolean }> = {},
) {
  return reconcile({
    sessions,
    billed,
    nameOf: (id) => names[id],
    sinceMs: Date.parse(at('01T00:00:00')),
    untilMs: UNTIL,
  });
}

describe("RunPod's bill beside our costs", () => {
  it.each([
    [0.72, 'same'],
    [0.7299, 'same'],
    [0.7101, 'same'],
    [0.74, 'different'],
    [0.7, 'different'],
    [0, 'different'],
  ])('of $0.72 ours and $%d theirs is %s', (computeUsd, verdict) => {
    const [line] = lines([sessionOf()], computeUsd === 0 ? [] : [bill('pod-1', '2026-06-01', computeUsd)]);
    expect(line).toMatchObject({ session: 'train', oursUsd: 0.72, billedUsd: computeUsd, verdict });
  });

  it('waits for what cannot be billed yet, and for no more', () => {
    const createdAt = new Date(UNTIL - 3_600_000).toISOString();
    const young = sessionOf({
      startedAt: createdAt,
      endedAt: new Date(UNTIL).toISOString(),
      pods: [podOf({ createdAt, endedAt: new Date(UNTIL).toISOString() })],
    });
    const unbilledUsd = (UNBILLED_SECONDS / 3600) * 0.72;
    expect(lines([young], [bill('pod-1', '2026-06-03', 0.72 - unbilledUsd)])).toMatchObject([
      { unbilledUsd, verdict: 'same' },
    ]);
    expect(lines([young], [bill('pod-1', '2026-06-03', 0.7 - unbilledUsd)])).toMatchObject([{ verdict: 'different' }]);
    // What is too much was not billed too late.
    expect(lines([young], [bill('pod-1', '2026-06-03', 0.74)])).toMatchObject([{ verdict: 'different' }]);
  });

  it('takes each day for itself', () => {
    const pods = [podOf({ createdAt: at('01T23:00:00'), endedAt: at('02T01:00:00') })];
    const found = lines([sessionOf({ endedAt: at('02T01:00:00'), pods })], [bill('pod-1', '2026-06-01', 1.44)]);
    expect(found.map(({ day, differenceUsd }) => [day, Math.round(differenceUsd * 100)])).toEqual([
      ['2026-06-01', 72],
      ['2026-06-02', -72],
    ]);
  });

  it('names pods that no session had, however little they cost; those of others only shows', () => {
    const names = { b: { name: 'devloop.me.lost', ours: true }, c: { name: 'my notebook', ours: false } };
    const found = lines(
      [],
      [bill('a', '2026-06-01', 1e-6), bill('b', '2026-06-02', 1), bill('c', '2026-06-02', 1)],
      names,
    );
    expect(found.map((line) => [line.podId, line.name, line.verdict, wantsAttention(line)])).toEqual([
      ['a', undefined, 'unknown', true],
      ['b', 'devloop.me.lost', 'unknown', true],
      ['c', 'my notebook', 'foreign', false],
    ]);
  });

  it('a session without a record had its last pod, whose cost is the difference', () => {
    const lost = sessionOf({ pods: [], unrecorded: { lastPodId: 'pod-9' } });
    expect(lines([lost], [bill('pod-9', '2026-06-01', 0.5)])).toMatchObject([
      { session: 'train', verdict: 'different' },
    ]);
  });

  it('leaves days out that were not asked for', () => {
    expect(lines([], [bill('a', '2026-05-31', 5)])).toEqual([]);
  });
});
