import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { createReaperActivities } from '../../../src/activities/reaper.js';
import { sweepReportSchema, type SeenPod, type SessionLook, type SweepReport } from '../../../src/contract/index.js';
import { createGateClient } from '../../../src/runpod/index.js';
import { HEARTBEAT_TIMEOUT_MS, nameOf, OWNER } from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';

async function sweep(
  runpod: VirtualRunPod,
  sessions: Record<string, SessionLook> = {},
  suspects: readonly SeenPod[] = [],
): Promise<SweepReport> {
  const { clock, sleep } = runpod.time;
  const activities = createReaperActivities({
    runpod: runpod.client,
    proxyUrl: 'http://{podId}-{port}.proxy.test',
    gate: (target) => createGateClient({ ...target, userAgent: 'devloop-test/1' }),
    owner: OWNER,
    webhook: false,
    lookAtSessions: async () => (name) => sessions[name.session] ?? { state: 'gone' },
    clock,
    sleep,
  });
  const env = new MockActivityEnvironment({ heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS });
  return runpod.time.run<SweepReport>(env.run(activities.sweep, { suspects }));
}

/** A deadline that has not come. */
const later = (runpod: VirtualRunPod): number => Math.floor(runpod.time.nowMs / 1000) + 3600;

describe('a sweep of the reaper', () => {
  it("ends an orphan when two sweeps in a row show it, and nobody's but that", async () => {
    const runpod = new VirtualRunPod();
    const deadline = later(runpod);
    const orphan = runpod.rent(nameOf({ session: 'gone', deadline }));
    const kept = runpod.rent(nameOf({ session: 'runs', deadline }));
    const stranger = runpod.rent('my notebook');
    const foreign = runpod.rent(nameOf({ session: 'gone', owner: 'tester-ffffffff', deadline }));
    const sessions: Record<string, SessionLook> = { runs: { state: 'running', podId: kept } };
    const first = await sweep(runpod, sessions);
    expect(runpod.aliveIds).toContain(orphan);
    expect(first.suspects).toMatchObject([{ podId: orphan, verdict: 'orphan', session: 'gone' }]);
    const second = await sweep(runpod, sessions, first.suspects);
    expect(second.ended).toMatchObject([{ podId: orphan }]);
    expect(runpod.aliveIds.sort()).toEqual([kept, stranger, foreign].sort());
    expect(runpod.calls('DELETE')).toHaveLength(1);
  });

  it('forgives a suspect whose session has adopted it in between', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf({ deadline: later(runpod) }));
    const { suspects } = await sweep(runpod, { s: { state: 'running', podId: 'another' } });
    expect(suspects).toMatchObject([{ podId, verdict: 'surplus' }]);
    const second = await sweep(runpod, { s: { state: 'running', podId } }, suspects);
    expect(second).toMatchObject({ ended: [], suspects: [] });
    expect(runpod.aliveIds).toEqual([podId]);
  });

  it('ends nothing for what Temporal does not tell, and reports it', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf({ deadline: later(runpod) }));
    const first = await sweep(runpod, { s: { state: 'unknown' } });
    const second = await sweep(runpod, { s: { state: 'unknown' } }, first.suspects);
    expect(second.reported).toMatchObject([{ podId, verdict: 'unknown' }]);
    expect(runpod.aliveIds).toEqual([podId]);
  });

  it('ends at once what is past its hard deadline, though its session runs', async () => {
    const runpod = new VirtualRunPod();
    const deadline = Math.floor(runpod.time.nowMs / 1000) - 121;
    const podId = runpod.rent(nameOf({ deadline }));
    const { ended } = await sweep(runpod, { s: { state: 'running', podId } });
    expect(ended).toMatchObject([{ podId, verdict: 'overdue' }]);
    expect(runpod.aliveIds).toEqual([]);
  });

  it("reports another owner's pods that stand still and cost, and lets them be", async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'image-unpullable' });
    const podId = runpod.rent(nameOf({ owner: 'tester-ffffffff', deadline: later(runpod) }));
    await runpod.time.run(runpod.time.sleep(5000));
    const { ended, reported } = await sweep(runpod);
    expect({ ended, reported }).toMatchObject({
      ended: [],
      reported: [{ podId, status: 'EXITED', verdict: 'foreign' }],
    });
    expect(runpod.aliveIds).toEqual([podId]);
  });

  it('tells of the whole account: strangers, stopped pods, pods that RunPod keeps, and switches', async () => {
    const runpod = new VirtualRunPod();
    const stranger = runpod.rent('my notebook');
    const kept = runpod.rent(nameOf({ session: 'runs', deadline: later(runpod) }));
    const late = runpod.rent(nameOf({ session: 'late', deadline: Math.floor(runpod.time.nowMs / 1000) - 121 }));
    runpod.fault({ kind: 'image-unpullable', match: { podName: 'stopped' } });
    const stopped = runpod.rent('stopped');
    await runpod.time.run(runpod.time.sleep(5000));
    runpod.fault({ kind: 'delete-no-effect', times: 1000 });
    const report = await sweep(runpod, { runs: { state: 'running', podId: kept } });
    expect(report.strangers?.count).toBe(2);
    expect(report.strangers?.costPerDayUsd).toBeGreaterThan(1);
    expect(report.exited).toMatchObject([{ podId: stopped, verdict: 'stranger', costPerDayUsd: 0 }]);
    expect(report.left).toMatchObject([{ podId: late, verdict: 'overdue' }]);
    expect(report.switches).toEqual([
      { podId: kept, session: 'runs', state: 'unknown' },
      { podId: late, session: 'late', state: 'unknown' },
    ]);
    expect(sweepReportSchema.parse(report)).toEqual(report);
    expect(runpod.aliveIds).toContain(stranger);
  });

  it('goes on with the other pods when RunPod refuses to end one', async () => {
    const runpod = new VirtualRunPod();
    const deadline = Math.floor(runpod.time.nowMs / 1000) - 121;
    const refused = runpod.rent(nameOf({ session: 'a', deadline }));
    runpod.rent(nameOf({ session: 'b', deadline }));
    runpod.fault({ kind: 'server-error', times: 1000, match: { podId: refused, operation: 'terminate' } });
    const report = await sweep(runpod);
    expect(runpod.aliveIds).toEqual([refused]);
    expect(report.problems).toHaveLength(1);
    expect(report.problems[0]).toContain(refused);
  });

  it.each(['delete-no-effect', 'delete-404'])('does not leave it to the next sweep to repeat a %s', async (kind) => {
    const runpod = new VirtualRunPod();
    const deadline = Math.floor(runpod.time.nowMs / 1000) - 121;
    const podId = runpod.rent(nameOf({ deadline }));
    runpod.fault({ kind, times: 3 });
    const { ended, problems } = await sweep(runpod);
    expect({ ended, problems }).toMatchObject({ ended: [{ podId }], problems: [] });
    expect(runpod.aliveIds).toEqual([]);
  });

  it('does not call ended what RunPod lists still', async () => {
    const runpod = new VirtualRunPod();
    const deadline = Math.floor(runpod.time.nowMs / 1000) - 121;
    const podId = runpod.rent(nameOf({ deadline }));
    runpod.fault({ kind: 'delete-no-effect', times: 1000 });
    const { ended, problems } = await sweep(runpod);
    expect(ended).toEqual([]);
    expect(problems[0]).toContain(podId);
  });

  it('reads every page of the list', async () => {
    const runpod = new VirtualRunPod();
    runpod.settings({ pageSize: 2 });
    const deadline = Math.floor(runpod.time.nowMs / 1000) - 121;
    for (let i = 0; i < 5; i++) runpod.rent(nameOf({ session: `s${i}`, deadline }));
    expect((await sweep(runpod)).ended).toHaveLength(5);
    expect(runpod.aliveIds).toEqual([]);
  });

  it('takes a list that cannot be read for an error, never for "no pods"', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'server-error', match: { operation: 'list' } });
    await expect(sweep(runpod)).rejects.toMatchObject({ type: 'RUNPOD_UNREACHABLE' });
  });
});
