import { CancelledFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import type { HolderState } from '../../../src/activities/types.js';
import {
  codeOf,
  dependencies,
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

describe('startPod on a good day', () => {
  it('rents one pod under its name, with every deadline on it before it exists', async () => {
    const runpod = new VirtualRunPod();
    const spec = sessionSpec({ idleTimeoutSeconds: 30.5, readyTimeoutSeconds: 100.5, maxConcurrentLeases: 3 });
    const input = startInput(runpod, { spec });
    const { result } = await runAttempt(runpod, 'startPod', input);
    const [pod, ...more] = runpod.alive;
    expect(more).toEqual([]);
    expect(result).toEqual({
      goneLeaseIds: [],
      pod: {
        id: pod?.id,
        name: input.podName,
        gpu: RTX_4090,
        costPerHourUsd: 0.69,
        createdAt: runpod.bill[0]?.createdAt,
      },
    });
    const { DEVLOOP_GATE_TOKEN: token, DEVLOOP_CREATED: created, DEVLOOP_READY_BY: readyBy, ...rest } = pod?.env ?? {};
    expect(rest).toEqual({
      DEVLOOP_POD_NAME: input.podName,
      DEVLOOP_IDLE_SECONDS: '31',
      DEVLOOP_GRACE_SECONDS: '120',
      DEVLOOP_HARD_DEADLINE: String(input.plan.hardDeadlineMs / 1000),
      DEVLOOP_MODEL: 'm',
      DEVLOOP_API: 'ollama',
      DEVLOOP_MAX_PARALLEL: '3',
      DEVLOOP_POD_SCRIPTS: 'cGFja2Vk',
    });
    // Shells on the pod reckon with these: whole numbers.
    expect(Number(readyBy) - Number(created)).toBe(101);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('gives a boot no more time than the pod has', async () => {
    const runpod = new VirtualRunPod();
    const plan = planFor(runpod, { hardDeadlineMs: runpod.time.nowMs + 60_000 });
    await runAttempt(runpod, 'startPod', startInput(runpod, { plan, spec: sessionSpec({ readyTimeoutSeconds: 600 }) }));
    const { DEVLOOP_READY_BY: readyBy, DEVLOOP_HARD_DEADLINE: deadline } = runpod.alive[0]?.env ?? {};
    expect([readyBy, deadline]).toEqual(Array(2).fill(String(plan.hardDeadlineMs / 1000)));
  });

  it('never lets the gate token out of the activity', async () => {
    const runpod = new VirtualRunPod();
    const { result, beats } = await runAttempt(runpod, 'startPod', startInput(runpod));
    const token = runpod.alive[0]?.env.DEVLOOP_GATE_TOKEN ?? 'no token';
    expect(JSON.stringify([result, beats])).not.toContain(token);
  });

  it('adopts the pod that an earlier attempt made, whatever deadline its name says', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf({ deadline: 1_700_000_000 }));
    const { result } = await runAttempt(runpod, 'startPod', startInput(runpod), undefined, { attempt: 2 });
    expect(result?.pod).toMatchObject({ id: podId, costPerHourUsd: 0.69 });
    expect(runpod.calls('POST')).toEqual([]);
  });

  it('adopts no pod of another attempt, session, run or owner', async () => {
    const runpod = new VirtualRunPod();
    const others = [
      nameOf({ attempt: 2 }),
      nameOf({ session: 't' }),
      nameOf({ owner: 'somebody-00000000' }),
      nameOf({ firstRunId: '11111111-0000-7000-8000-00000000c0de' }),
    ].map((name) => runpod.rent(name));
    const { result } = await runAttempt(runpod, 'startPod', startInput(runpod));
    expect(others).not.toContain(result?.pod?.id);
    expect(runpod.alive).toHaveLength(5);
  });

  it('adopts the oldest of several pods of its name and ends the others', async () => {
    const runpod = new VirtualRunPod();
    const oldest = runpod.rent(nameOf());
    await runpod.time.run(runpod.time.sleep(1000));
    runpod.rent(nameOf());
    await runpod.time.run(runpod.time.sleep(1000));
    runpod.rent(nameOf({ deadline: 1_900_000_000 }));
    const { result } = await runAttempt(runpod, 'startPod', startInput(runpod));
    expect(result?.pod?.id).toBe(oldest);
    expect(runpod.aliveIds).toEqual([oldest]);
  });
});

describe('startPod after a create that may have worked', () => {
  it.each([
    ['a 500 for a pod that was created', { kind: 'create-500-created' }],
    ['silence for a pod that was created', { kind: 'create-timeout-created' }],
    ['a connection that broke after the create', { kind: 'reply-cut', match: { operation: 'create' } }],
    ['a connection that broke before the create', { kind: 'connection-cut', match: { operation: 'create' } }],
    ['a 500 for nothing', { kind: 'create-500-not-created' }],
    ['silence for nothing', { kind: 'hang', match: { operation: 'create' } }],
    ['an HTML page of the edge', { kind: 'edge-html', match: { operation: 'create' } }],
  ])('%s: one pod in the end, and one name on the bill', async (_what, fault) => {
    const runpod = new VirtualRunPod();
    runpod.fault(fault);
    const { result } = await runWithRetries(runpod, 'startPod', startInput(runpod));
    expect(runpod.aliveIds).toEqual([result.pod?.id]);
    expect(runpod.bill.map(({ name }) => name)).toEqual([nameOf()]);
  });

  it('adopts within the same attempt a pod that the list shows some seconds late', async () => {
    const runpod = new VirtualRunPod();
    runpod.settings({ listLagSeconds: 6 });
    runpod.fault({ kind: 'create-500-created' });
    const { attempts } = await runWithRetries(runpod, 'startPod', startInput(runpod));
    expect(attempts).toBe(1);
    expect(runpod.calls('POST')).toHaveLength(1);
  });

  it('asks for no other GPU: the pod of the first one may only not be listed yet', async () => {
    const runpod = new VirtualRunPod();
    runpod.settings({ listLagSeconds: 6 });
    runpod.fault({ kind: 'create-500-created' });
    const candidates = [RTX_4090, RTX_3090].map((gpu) => ({ gpu, costPerHourUsd: 0.69 }));
    const plan = planFor(runpod, { candidates });
    const { result } = await runWithRetries(runpod, 'startPod', startInput(runpod, { plan }));
    expect(result.pod?.gpu).toBe(RTX_4090);
    expect(runpod.bill).toHaveLength(1);
  });

  it('fails retryably when it finds nothing, and asks again under the same name', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'create-500-not-created' });
    const first = await runAttempt(runpod, 'startPod', startInput(runpod));
    expect(codeOf(first.failure)).toEqual({ code: 'RUNPOD_UNREACHABLE', final: false, nothingCreated: undefined });
    expect(runpod.calls('POST')).toHaveLength(1);
    expect(runpod.listings.length).toBeGreaterThanOrEqual(4);
    const second = await runAttempt(runpod, 'startPod', startInput(runpod), undefined, { attempt: 2 });
    expect(runpod.aliveIds).toEqual([second.result?.pod?.id]);
  });

  it('may rent twice when the list lags longer than it looks, and then keeps the older one', async () => {
    const runpod = new VirtualRunPod();
    runpod.settings({ listLagSeconds: 15 });
    runpod.fault({ kind: 'create-500-created' });
    runpod.fault({ kind: 'create-500-created' });
    const { result } = await runWithRetries(runpod, 'startPod', startInput(runpod));
    expect(result.pod?.id).toBe(runpod.bill[0]?.id);
  });

  it('says of the pod of a later attempt that there may be a twin of it, and of no other', async () => {
    const runpod = new VirtualRunPod();
    runpod.settings({ listLagSeconds: 6 });
    runpod.fault({ kind: 'create-500-created' });
    const adopted = await runWithRetries(runpod, 'startPod', startInput(runpod));
    expect([adopted.attempts, adopted.result.mayHaveMore]).toEqual([1, undefined]);
    runpod.settings({ listLagSeconds: 60 });
    runpod.fault({ kind: 'create-500-created' });
    const podName = nameOf({ attempt: 2 });
    const repeated = await runWithRetries(runpod, 'startPod', startInput(runpod, { podName }));
    expect([repeated.attempts, repeated.result.mayHaveMore]).toEqual([2, true]);
    expect(runpod.bill).toHaveLength(3);
  });

  it('never claims that nothing was created, whatever comes after the ambiguous answer', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'create-500-not-created' });
    runpod.time.at(runpod.time.nowMs + 1000, () => {
      runpod.fault({ kind: 'bad-key', forSeconds: 60 });
    });
    const { failure } = await runAttempt(runpod, 'startPod', startInput(runpod));
    expect(codeOf(failure)).toEqual({ code: 'RUNPOD_UNAUTHORIZED', final: true, nothingCreated: false });
  });
});

describe('startPod and those who wait', () => {
  const states = (given: readonly HolderState['state'][]) => ({
    describeHolders: async (holders: readonly { readonly leaseId: string }[]) =>
      holders.map(({ leaseId }, i) => ({ leaseId, state: given[i] ?? 'unknown' })),
  });

  it.each([
    { name: 'all jobs gone', given: ['gone', 'gone'], rents: false },
    { name: 'one job left', given: ['gone', 'running'], rents: true },
    { name: 'one job unknown', given: ['gone', 'unknown'], rents: true },
  ] as const)('$name: rents $rents', async ({ given, rents }) => {
    const runpod = new VirtualRunPod();
    const input = startInput(runpod, { waiting: waitingJobs(2), onlyForJobs: true });
    const { result } = await runAttempt(runpod, 'startPod', input, dependencies(runpod, states(given)));
    expect(runpod.bill).toHaveLength(rents ? 1 : 0);
    expect(result?.pod !== undefined).toBe(rents);
    expect(result?.goneLeaseIds).toEqual(
      waitingJobs(2)
        .map(({ leaseId }) => leaseId)
        .filter((_, i) => given[i] === 'gone'),
    );
  });

  it('rents nothing for jobs that all gave back their request before it began', async () => {
    const runpod = new VirtualRunPod();
    const { result } = await runAttempt(runpod, 'startPod', startInput(runpod, { onlyForJobs: true }));
    expect(result).toEqual({ goneLeaseIds: [] });
    expect(runpod.bill).toEqual([]);
  });

  it('does not say so on a later attempt: the one before it may have rented, and the list lag', async () => {
    const runpod = new VirtualRunPod();
    const input = startInput(runpod, { onlyForJobs: true });
    const { result } = await runAttempt(runpod, 'startPod', input, undefined, { attempt: 2 });
    expect(result).toEqual({ goneLeaseIds: [], mayHaveMore: true });
  });

  it('rents for a person although nobody waits', async () => {
    const runpod = new VirtualRunPod();
    await runAttempt(
      runpod,
      'startPod',
      startInput(runpod, { waiting: waitingJobs(1) }),
      dependencies(runpod, states(['gone'])),
    );
    expect(runpod.bill).toHaveLength(1);
  });

  it('counts an external holder as somebody: nobody can ask for it', async () => {
    const runpod = new VirtualRunPod();
    const external = { leaseId: 'x', holder: { kind: 'external' as const } };
    const input = startInput(runpod, { waiting: [...waitingJobs(1), external], onlyForJobs: true });
    await runAttempt(runpod, 'startPod', input, dependencies(runpod, states(['gone'])));
    expect(runpod.bill).toHaveLength(1);
  });

  it('does not forget a pod that exists although nobody is left: the session ends it', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    const input = startInput(runpod, { waiting: waitingJobs(1), onlyForJobs: true });
    const { result } = await runAttempt(runpod, 'startPod', input, dependencies(runpod, states(['gone'])), {
      attempt: 2,
    });
    expect(result?.pod?.id).toBe(podId);
  });
});

describe('a cancelled startPod', () => {
  it('leaves as a cancel, and what its request made is left for the sweep', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'create-timeout-created' });
    const { failure } = await runAttempt(runpod, 'startPod', startInput(runpod), undefined, {
      prepare: (env) => {
        runpod.time.at(runpod.time.nowMs + 5000, () => {
          env.cancel();
        });
      },
    });
    expect(failure).toBeInstanceOf(CancelledFailure);
    expect(runpod.time.nowMs - Date.parse(runpod.bill[0]?.createdAt ?? '')).toBeLessThan(6000);
  });

  it('before its request says that nothing was created, so that nobody has to look for a pod', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'hang', match: { operation: 'list' } });
    const { result } = await runAttempt(runpod, 'startPod', startInput(runpod), undefined, {
      prepare: (env) => {
        runpod.time.at(runpod.time.nowMs + 1000, () => {
          env.cancel();
        });
      },
    });
    expect(result).toEqual({ goneLeaseIds: [] });
    expect(runpod.bill).toEqual([]);
  });

  it('on a later attempt cannot know that, and leaves as a cancel', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'hang', match: { operation: 'list' } });
    const { failure } = await runAttempt(runpod, 'startPod', startInput(runpod), undefined, {
      attempt: 2,
      prepare: (env) => {
        runpod.time.at(runpod.time.nowMs + 1000, () => {
          env.cancel();
        });
      },
    });
    expect(failure).toBeInstanceOf(CancelledFailure);
  });
});
