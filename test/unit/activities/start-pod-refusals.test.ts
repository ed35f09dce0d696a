import type { ApplicationFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  dependencies,
  HEARTBEAT_TIMEOUT_MS,
  nameOf,
  planFor,
  RTX_3090,
  RTX_4090,
  runAttempt,
  runWithRetries,
  sessionSpec,
  startInput,
  waitingJobs,
} from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';

const candidates = [
  { gpu: RTX_4090, costPerHourUsd: 0.69 },
  { gpu: RTX_3090, costPerHourUsd: 0.46 },
];

describe('startPod when RunPod refuses', () => {
  it('walks the candidates in their order', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'no-capacity', gpu: RTX_4090 });
    const { result } = await runAttempt(
      runpod,
      'startPod',
      startInput(runpod, { plan: planFor(runpod, { candidates }) }),
    );
    expect(result?.pod).toMatchObject({ gpu: RTX_3090, costPerHourUsd: 0.46 });
    expect(runpod.alive).toHaveLength(1);
  });

  it('says why a later choice was taken, and only of those that were preferred to it', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'no-capacity', gpu: RTX_4090 });
    const gpus = ['RTX 9090', RTX_4090, RTX_3090, 'NVIDIA L4'];
    const [taken4090, taken3090] = candidates;
    const plan = planFor(runpod, {
      candidates: [{ ...taken4090!, outOfStock: true }, taken3090!],
      passedOver: [
        { gpu: 'RTX 9090', reason: 'RunPod has no GPU of this id' },
        { gpu: 'NVIDIA L4', reason: 'never looked at' },
      ],
    });
    const input = startInput(runpod, { spec: sessionSpec({ gpus }), plan });
    const { result, beats } = await runAttempt(runpod, 'startPod', input);
    const reasons = [
      'RTX 9090: RunPod has no GPU of this id',
      expect.stringMatching(/RTX 4090: .*instances.*stock NONE/) as string,
    ];
    expect(result?.pod?.passedOver).toEqual(reasons);
    expect(beats).toContainEqual({ step: 'creating', gpu: RTX_3090, passedOver: reasons });
  });

  it.each([
    [1, true],
    [2, false],
  ])(
    'names every candidate when none is to be had; attempt %i knows that nothing was created: %s',
    async (attempt, nothingCreated) => {
      const runpod = new VirtualRunPod();
      runpod.fault({ kind: 'no-capacity', times: 2 });
      const spec = sessionSpec({ gpus: [RTX_4090, RTX_3090] });
      const input = startInput(runpod, { spec, plan: planFor(runpod, { candidates }) });
      const { failure } = await runAttempt(runpod, 'startPod', input, undefined, { attempt });
      expect(codeOf(failure)).toEqual({ code: 'NO_CAPACITY', final: true, nothingCreated });
      expect(failure?.message).toMatch(/RTX 4090: .*RTX 3090: /);
      expect(runpod.bill).toEqual([]);
    },
  );

  it.each([
    ['NO_BALANCE', { kind: 'no-balance' }, /credit/],
    ['RUNPOD_UNAUTHORIZED', { kind: 'bad-key' }, /RUNPOD_API_KEY/],
    ['RUNPOD_UNAUTHORIZED', { kind: 'bad-key', match: { operation: 'create' } }, /RUNPOD_API_KEY/],
  ])('%s at once, and without a sweep for a pod that cannot be', async (code, fault, wayOut) => {
    const runpod = new VirtualRunPod();
    runpod.fault(fault);
    const { failure } = await runAttempt(runpod, 'startPod', startInput(runpod));
    expect(codeOf(failure)).toEqual({ code, final: true, nothingCreated: true });
    expect(failure?.message).toMatch(wayOut);
    expect(runpod.bill).toEqual([]);
  });

  it('does not claim that nothing was created once it saw a pod of its name', async () => {
    const runpod = new VirtualRunPod();
    runpod.rent(nameOf());
    runpod.rent(nameOf());
    runpod.fault({ kind: 'bad-key', match: { operation: 'terminate' } });
    const { failure } = await runAttempt(runpod, 'startPod', startInput(runpod));
    expect(codeOf(failure)).toEqual({ code: 'RUNPOD_UNAUTHORIZED', final: true, nothingCreated: false });
  });

  it('is told the wrong field by RunPod and does not repeat the request', async () => {
    const runpod = new VirtualRunPod();
    const input = startInput(runpod, {
      plan: planFor(runpod, { candidates: [{ gpu: 'no such GPU', costPerHourUsd: 1 }] }),
    });
    const { failure } = await runAttempt(runpod, 'startPod', input);
    expect(codeOf(failure)).toEqual({ code: 'RUNPOD_REFUSED', final: true, nothingCreated: true });
    expect(failure?.message).toContain('no such GPU');
  });

  it('creates nothing while the list cannot be read', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'server-error', times: 1 });
    const { failure } = await runAttempt(runpod, 'startPod', startInput(runpod));
    expect(codeOf(failure)).toMatchObject({ code: 'RUNPOD_UNREACHABLE', final: false });
    expect(runpod.calls('POST')).toEqual([]);
  });

  it('waits as long as a rate limit says', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'rate-limited', retryAfterSeconds: 20 });
    const { failure } = await runAttempt(runpod, 'startPod', startInput(runpod));
    const nextRetryDelay: unknown = (failure as ApplicationFailure).nextRetryDelay;
    expect(nextRetryDelay).toBeGreaterThan(19_000);
    expect(nextRetryDelay).toBeLessThanOrEqual(20_000);
  });
});

describe('an attempt of startPod that was frozen', () => {
  it.each([
    ['longer than its heartbeat timeout', HEARTBEAT_TIMEOUT_MS + 1],
    // The server counts from the last beat that it got, and that may be seconds older than the last one made.
    ['nearly as long as its heartbeat timeout', HEARTBEAT_TIMEOUT_MS - 1000],
  ])('%s creates nothing: another one may have taken over', async (_what, frozenMs) => {
    const runpod = new VirtualRunPod();
    const deps = dependencies(runpod, {
      describeHolders: async (holders) => {
        runpod.time.freeze(frozenMs);
        return holders.map(({ leaseId }) => ({ leaseId, state: 'running' }));
      },
    });
    const { failure } = await runAttempt(runpod, 'startPod', startInput(runpod, { waiting: waitingJobs(1) }), deps);
    expect(codeOf(failure)).toMatchObject({ code: 'RUNPOD_UNREACHABLE', final: false });
    expect(runpod.calls('POST')).toEqual([]);
  });

  it('creates nothing either when it was frozen while it waited for the quota', async () => {
    const runpod = new VirtualRunPod({ quota: true });
    // All but one of the requests that are free for others than DELETE.
    for (let i = 0; i < 47; i++) await runpod.time.run(runpod.client.listPods());
    runpod.time.at(runpod.time.nowMs + 5000, () => {
      runpod.time.freeze(HEARTBEAT_TIMEOUT_MS + 1);
    });
    const { failure } = await runAttempt(runpod, 'startPod', startInput(runpod));
    expect(codeOf(failure)).toMatchObject({ code: 'RUNPOD_UNREACHABLE', final: false });
    expect(runpod.calls('POST')).toEqual([]);
  });

  it('stays dead: a heart that beats again makes nothing good', async () => {
    const runpod = new VirtualRunPod();
    const deps = dependencies(runpod, {
      describeHolders: async (holders) => {
        runpod.time.freeze(HEARTBEAT_TIMEOUT_MS + 1);
        await runpod.time.sleep(HEARTBEAT_TIMEOUT_MS);
        return holders.map(({ leaseId }) => ({ leaseId, state: 'running' }));
      },
    });
    const { beats } = await runAttempt(runpod, 'startPod', startInput(runpod, { waiting: waitingJobs(1) }), deps);
    expect(runpod.calls('POST')).toEqual([]);
    expect(beats).toHaveLength(1);
  });

  it('is not taken for frozen when it is merely slow', async () => {
    const runpod = new VirtualRunPod();
    const deps = dependencies(runpod, {
      describeHolders: async (holders) => {
        await runpod.time.sleep(60_000);
        return holders.map(({ leaseId }) => ({ leaseId, state: 'running' }));
      },
    });
    const { result } = await runAttempt(runpod, 'startPod', startInput(runpod, { waiting: waitingJobs(1) }), deps);
    expect(runpod.aliveIds).toEqual([result?.pod?.id]);
  });
});

describe('an attempt of startPod whose session goes on without it', () => {
  it.each<[string, () => Promise<boolean>]>([
    ['was reset or has ended', async () => false],
    ['may have: Temporal does not say', () => Promise.reject(new Error('UNAVAILABLE'))],
  ])('rents nothing for one that %s', async (_what, isCurrentRun) => {
    const runpod = new VirtualRunPod();
    const { failure } = await runAttempt(
      runpod,
      'startPod',
      startInput(runpod),
      dependencies(runpod, { isCurrentRun }),
    );
    expect(codeOf(failure)).toMatchObject({ code: 'RUNPOD_UNREACHABLE', final: false });
    expect(runpod.calls('POST')).toEqual([]);
  });

  it('asks after the wait for the quota, of its own run', async () => {
    const runpod = new VirtualRunPod({ quota: true });
    for (let i = 0; i < 47; i++) await runpod.time.run(runpod.client.listPods());
    const asked: { runId: string; atMs: number }[] = [];
    const deps = dependencies(runpod, {
      isCurrentRun: async ({ runId }) => {
        asked.push({ runId, atMs: runpod.time.nowMs });
        return true;
      },
    });
    const beganMs = runpod.time.nowMs;
    await runAttempt(runpod, 'startPod', startInput(runpod), deps);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.runId).toBe('00000000-0000-0000-0000-000000000000');
    expect(asked[0]?.atMs).toBeGreaterThan(beganMs + 500);
  });
});

describe('startPod and the deadline', () => {
  it('rents nothing that could only end at once', async () => {
    const runpod = new VirtualRunPod();
    const plan = planFor(runpod, { hardDeadlineMs: runpod.time.nowMs });
    const { failure } = await runAttempt(runpod, 'startPod', startInput(runpod, { plan }));
    expect(codeOf(failure)).toEqual({ code: 'BOOT_FAILED', final: true, nothingCreated: true });
    expect(runpod.bill).toEqual([]);
  });

  it('rents nothing when its life ended while it waited for the quota, or for the word that its session still runs', async () => {
    const runpod = new VirtualRunPod();
    const plan = planFor(runpod, { hardDeadlineMs: runpod.time.nowMs + 5_000 });
    const deps = dependencies(runpod, {
      isCurrentRun: async () => {
        await runpod.time.sleep(6_000);
        return true;
      },
    });
    const { failure } = await runAttempt(runpod, 'startPod', startInput(runpod, { plan }), deps);
    expect(codeOf(failure)).toEqual({ code: 'BOOT_FAILED', final: true, nothingCreated: true });
    expect(runpod.calls('POST')).toEqual([]);
  });

  it('stops asking RunPod when its life is over before RunPod comes back', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'server-error', forSeconds: 120 });
    const plan = planFor(runpod, { hardDeadlineMs: runpod.time.nowMs + 60_000 });
    await expect(runWithRetries(runpod, 'startPod', startInput(runpod, { plan }))).rejects.toMatchObject({
      type: 'BOOT_FAILED',
    });
    expect(runpod.bill).toEqual([]);
  });
});
