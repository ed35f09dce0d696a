import { describe, expect, it } from 'vitest';
import { FIRST_RUN, nameOf, OWNER, runAttempt, stopInput } from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';

/** Moments of the complete listings that began after the last DELETE had its answer. */
function proofs(runpod: VirtualRunPod): number[] {
  const deletedAtMs = runpod.calls('DELETE').at(-1)?.atMs ?? 0;
  return runpod.listings.filter(({ atMs }) => atMs > deletedAtMs).map(({ atMs }) => atMs);
}

const spread = (moments: readonly number[]): number => (moments.at(-1) ?? 0) - (moments[0] ?? 0);

describe('stopPod with a DELETE that RunPod accepts', () => {
  it('ends the pod at once and looks at two complete listings at least 5 s apart', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    const beganMs = runpod.time.nowMs;
    const { result } = await runAttempt(runpod, 'stopPod', stopInput(podId));
    const { terminatedAt } = runpod.billOf(podId);
    expect(runpod.requests[0]).toMatchObject({ method: 'DELETE', path: `/v2/pods/${podId}` });
    expect(Date.parse(terminatedAt ?? '') - beganMs).toBeLessThan(100);
    expect(runpod.aliveIds).toEqual([]);
    expect(proofs(runpod)).toHaveLength(2);
    expect(spread(proofs(runpod))).toBeGreaterThanOrEqual(5000);
    expect(result?.podIds).toEqual([podId]);
    // The session's record is what the bill says, to the second.
    expect(Math.abs(Date.parse(result?.endedAt ?? '') - Date.parse(terminatedAt ?? ''))).toBeLessThan(1000);
  });

  it('takes no 204 for an end: it deletes again until the pod is really gone', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.fault({ kind: 'delete-no-effect', times: 3 });
    const { result } = await runAttempt(runpod, 'stopPod', stopInput(podId));
    expect(runpod.aliveIds).toEqual([]);
    expect(runpod.calls('DELETE')).toHaveLength(4);
    expect(proofs(runpod)).toHaveLength(2);
    expect(Date.parse(result?.endedAt ?? '')).toBeGreaterThanOrEqual(
      Date.parse(runpod.billOf(podId).terminatedAt ?? ''),
    );
  });

  it.each([undefined, 'RUNNING'])('waits while the list still shows the ended pod (as %s)', async (podStatus) => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.fault({ kind: 'delete-still-listed', seconds: 40, ...(podStatus && { podStatus }) });
    const beganMs = runpod.time.nowMs;
    const { result } = await runAttempt(runpod, 'stopPod', stopInput(podId));
    expect(runpod.time.nowMs - beganMs).toBeGreaterThan(45_000);
    const clean = runpod.listings.filter(({ atMs }) => atMs - beganMs > 40_000).map(({ atMs }) => atMs);
    expect(clean.length).toBeGreaterThanOrEqual(2);
    expect(spread(clean)).toBeGreaterThanOrEqual(5000);
    expect(
      Math.abs(Date.parse(result?.endedAt ?? '') - Date.parse(runpod.billOf(podId).terminatedAt ?? '')),
    ).toBeLessThan(1000);
  });

  it('ends the pods of one attempt only when another one is in use', async () => {
    const runpod = new VirtualRunPod();
    const given = runpod.rent(nameOf({ attempt: 1 }));
    const latecomer = runpod.rent(nameOf({ attempt: 1 }));
    const inUse = runpod.rent(nameOf({ attempt: 2 }));
    const { result } = await runAttempt(runpod, 'stopPod', { ...stopInput(given), attempt: 1 });
    expect(runpod.aliveIds).toEqual([inUse]);
    expect(result?.podIds.toSorted()).toEqual([given, latecomer].toSorted());
  });

  it('takes TERMINATED in the list for gone', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.fault({ kind: 'delete-still-listed', seconds: 3600, podStatus: 'TERMINATED' });
    const beganMs = runpod.time.nowMs;
    await runAttempt(runpod, 'stopPod', stopInput(podId));
    expect(runpod.time.nowMs - beganMs).toBeLessThan(10_000);
  });

  it('ends a pod that is only stopped: EXITED goes on costing', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'image-unpullable' });
    const podId = runpod.rent(nameOf());
    await runpod.time.run(runpod.time.sleep(5000));
    expect(runpod.alive[0]?.status).toBe('EXITED');
    await runAttempt(runpod, 'stopPod', stopInput());
    expect(runpod.billOf(podId).status).toBe('TERMINATED');
  });
});

describe('stopPod without an accepted DELETE', () => {
  it('believes that somebody else ended the pod only after three listings over a minute', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.end(podId);
    const beganMs = runpod.time.nowMs;
    const { result } = await runAttempt(runpod, 'stopPod', stopInput(podId));
    expect(proofs(runpod)).toHaveLength(3);
    expect(spread(proofs(runpod))).toBeGreaterThanOrEqual(60_000);
    expect(Date.parse(result?.endedAt ?? '') - beganMs).toBeLessThan(1000);
  });

  it('is not fooled by a 404 for a pod that lives on', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.fault({ kind: 'delete-404', times: 2 });
    const beganMs = runpod.time.nowMs;
    await runAttempt(runpod, 'stopPod', stopInput(podId));
    expect(runpod.aliveIds).toEqual([]);
    // The pod bills meanwhile: what is seen alive is not left alone for long.
    expect(Date.parse(runpod.billOf(podId).terminatedAt ?? '') - beganMs).toBeLessThan(15_000);
  });

  it('asks GET too: a pod may be missing from the list and live', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'list-late', seconds: 1000 });
    const podId = runpod.rent(nameOf());
    runpod.fault({ kind: 'delete-404' });
    await runAttempt(runpod, 'stopPod', stopInput(podId));
    expect(runpod.aliveIds).toEqual([]);
  });

  it('finds the twin of a pod that it has ended, up to a minute late', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'list-late', seconds: 50 });
    const twin = runpod.rent(nameOf());
    const podId = runpod.rent(nameOf());
    const { result } = await runAttempt(runpod, 'stopPod', { ...stopInput(podId), mayHaveMore: true });
    expect(runpod.aliveIds).toEqual([]);
    expect(result?.podIds).toEqual([podId, twin]);
  });

  it('finds the pod of a create that nobody heard of, up to a minute late', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'list-late', seconds: 50 });
    const podId = runpod.rent(nameOf());
    const { result } = await runAttempt(runpod, 'stopPod', stopInput());
    expect(runpod.aliveIds).toEqual([]);
    expect(result?.podIds).toEqual([podId]);
  });
});

describe('what stopPod sweeps', () => {
  it('ends every pod of this first run, whatever attempt and deadline its name has', async () => {
    const runpod = new VirtualRunPod();
    const known = runpod.rent(nameOf());
    const others = [runpod.rent(nameOf()), runpod.rent(nameOf({ attempt: 2 })), runpod.rent(nameOf({ deadline: 1 }))];
    const { result } = await runAttempt(runpod, 'stopPod', stopInput(known));
    expect(runpod.aliveIds).toEqual([]);
    expect([...(result?.podIds ?? [])].sort()).toEqual([known, ...others].sort());
  });

  it('touches no other session, first run, owner or stranger', async () => {
    const runpod = new VirtualRunPod();
    const own = runpod.rent(nameOf());
    const spared = [
      nameOf({ session: 's2' }),
      nameOf({ session: 'other' }),
      nameOf({ owner: `${OWNER}-2` }),
      nameOf({ owner: 'x' }),
      nameOf({ firstRunId: `${FIRST_RUN}0` }),
      nameOf({ firstRunId: '11111111-0000-7000-8000-00000000c0de' }),
      'my own pod',
      `not.${nameOf()}`,
    ].map((name) => runpod.rent(name));
    await runAttempt(runpod, 'stopPod', stopInput(own));
    expect(runpod.aliveIds.sort()).toEqual(spared.sort());
    expect(runpod.calls('DELETE').map(({ path }) => path)).toEqual([`/v2/pods/${own}`]);
  });

  it('reads every page of the list', async () => {
    const runpod = new VirtualRunPod();
    const strangers = [runpod.rent('a'), runpod.rent('b'), runpod.rent('c')];
    runpod.rent(nameOf());
    runpod.rent(nameOf());
    runpod.settings({ pageSize: 1 });
    await runAttempt(runpod, 'stopPod', stopInput());
    expect(runpod.aliveIds.sort()).toEqual(strangers.sort());
  });
});
