import { describe, expect, it } from 'vitest';
import { endPods } from '../../../src/runpod/index.js';
import { nameOf } from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';

const end = (runpod: VirtualRunPod, podIds: readonly string[], withinMs = 180_000) => {
  const { clock, sleep } = runpod.time;
  const { signal } = new AbortController();
  return runpod.time.run(endPods(podIds, { runpod: runpod.client, clock, sleep, signal, withinMs }));
};

describe('endPods', () => {
  it('ends what it is told to, and nothing else', async () => {
    const runpod = new VirtualRunPod();
    const other = runpod.rent(nameOf({ session: 'other' }));
    expect(await end(runpod, [runpod.rent(nameOf())])).toEqual({ left: [], lastError: undefined });
    expect(runpod.aliveIds).toEqual([other]);
  });

  it('is not fooled by a 204 that did nothing and one listing that misses the pod', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.fault({ kind: 'delete-no-effect' });
    runpod.fault({ kind: 'list-misses' });
    expect(await end(runpod, [podId])).toMatchObject({ left: [] });
    expect(runpod.aliveIds).toEqual([]);
  });

  it.each(['server-error', 'edge-html', 'connection-cut', 'bad-key'])('tries on after a %s', async (kind) => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.fault({ kind, times: 3 });
    expect(await end(runpod, [podId])).toMatchObject({ left: [] });
    expect(runpod.aliveIds).toEqual([]);
  });

  it('gives every pod its turn, whichever one RunPod refuses to end', async () => {
    const runpod = new VirtualRunPod();
    const refused = runpod.rent(nameOf({ session: 'a' }));
    const other = runpod.rent(nameOf({ session: 'b' }));
    runpod.fault({ kind: 'server-error', times: 1000, match: { podId: refused, operation: 'terminate' } });
    expect(await end(runpod, [refused, other], 10_000)).toMatchObject({ left: [refused] });
    expect(runpod.aliveIds).toEqual([refused]);
  });

  it('says in the end what RunPod has not ended, and what it said', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.fault({ kind: 'server-error', times: 1000, match: { operation: 'terminate' } });
    const { left, lastError } = await end(runpod, [podId], 30_000);
    expect(left).toEqual([podId]);
    expect(lastError).toContain('503');
  });

  it('does not call gone what a list that cannot be read does not show', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.fault({ kind: 'server-error', times: 1000, match: { operation: 'list' } });
    expect(await end(runpod, [podId], 30_000)).toMatchObject({ left: [podId] });
  });
});
