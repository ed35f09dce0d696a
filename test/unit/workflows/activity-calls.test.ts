import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { CheckPodInput, PollPodInput, StopPodInput } from '../../../src/activities/types.js';
import { checkPod, describeHolders, pollPod, stopPod } from '../../../src/workflows/pod-session/activity-calls.js';

interface Options {
  scheduleToCloseTimeout?: unknown;
  startToCloseTimeout?: unknown;
  heartbeatTimeout?: unknown;
}

/** Activities as a script: each call takes the next step. */
const script = vi.hoisted(() => ({
  steps: [] as (() => unknown)[],
  calls: [] as { name: string; options: Options }[],
  slept: [] as unknown[],
}));

vi.mock('@temporalio/workflow', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  sleep: async (ms: unknown) => {
    script.slept.push(ms);
  },
  proxyActivities: (options: Options) =>
    new Proxy(
      {},
      {
        get: (_target, name: string) => async () => {
          script.calls.push({ name, options });
          return script.steps.shift()?.();
        },
      },
    ),
}));

const fail = (message: string) => (): never => {
  throw new Error(message);
};
const gone = { endedAt: '2026-06-01T00:00:00Z', podIds: ['p'] };
const target: StopPodInput = { owner: 'o', session: 's', firstRunId: 'r', podId: 'p' };

beforeEach(() => {
  script.steps = [];
  script.calls = [];
  script.slept = [];
});

describe('stopPod', () => {
  const stop = async () => {
    let stuck = 0;
    const result = await stopPod(target, () => stuck++);
    return { result, stuck, calls: script.calls };
  };

  it('is one call when all goes well', async () => {
    script.steps = [() => gone];
    expect(await stop()).toMatchObject({ result: gone, stuck: 0, calls: [{ name: 'stopPod' }] });
  });

  it('says once that it is stuck, and goes on without a limit in time', async () => {
    script.steps = [fail('out of time'), () => gone];
    const { result, stuck, calls } = await stop();
    expect([result, stuck]).toEqual([gone, 1]);
    expect(calls.map(({ options }) => options.scheduleToCloseTimeout)).toEqual(['2 minutes', undefined]);
  });

  it('survives every failure, with a pause between', async () => {
    script.steps = [...Array<() => never>(20).fill(fail('for good')), () => gone];
    const { result, stuck, calls } = await stop();
    expect([result, stuck, calls.length]).toEqual([gone, 1, 21]);
    expect(script.slept).toHaveLength(19);
  });
});

describe('checkPod', () => {
  const input = {} as CheckPodInput;

  it('concludes nothing from a failure, and keeps nobody waiting for long', async () => {
    script.steps = [fail('for good')];
    expect(await checkPod(input)).toMatchObject({ verdict: 'alive' });
    expect(script.calls[0]?.options.scheduleToCloseTimeout).toBe('1 minute');
  });

  it('believes what was found out', async () => {
    script.steps = [() => ({ verdict: 'lost', detail: 'gone' })];
    expect(await checkPod(input)).toEqual({ verdict: 'lost', detail: 'gone' });
  });
});

describe('pollPod', () => {
  it.each([600_000, 0, -5000])('with %d ms left has time to say why the boot failed', async (leftMs) => {
    await pollPod({ pod: { id: 'p' } } as PollPodInput, leftMs);
    const { scheduleToCloseTimeout, startToCloseTimeout, heartbeatTimeout } = script.calls[0]!.options;
    expect(scheduleToCloseTimeout).toBeGreaterThanOrEqual(Math.max(0, leftMs) + 30_000);
    expect(scheduleToCloseTimeout).toBeLessThanOrEqual(Math.max(0, leftMs) + 120_000);
    expect(startToCloseTimeout).toBe(scheduleToCloseTimeout);
    expect(heartbeatTimeout).toBe('10 seconds');
  });
});

describe('describeHolders', () => {
  it('knows nothing of anybody when it fails', async () => {
    script.steps = [fail('UNAVAILABLE')];
    const holders = ['a', 'b'].map((leaseId) => ({ leaseId, holder: { kind: 'workflow' as const, workflowId: 'w' } }));
    expect(await describeHolders(holders)).toEqual([
      { leaseId: 'a', state: 'unknown' },
      { leaseId: 'b', state: 'unknown' },
    ]);
  });
});
