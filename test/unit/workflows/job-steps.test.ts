import { ActivityFailure, ApplicationFailure, RetryState } from '@temporalio/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { agentJobInputSchema, type Grant } from '../../../src/contract/index.js';
import { JobState } from '../../../src/workflows/agent-job/job-state.js';
import { releaseLease, reportPod, waitForLease } from '../../../src/workflows/agent-job/steps.js';

/** A workflow's surroundings: time that only waiting moves, and a session that answers as the test says. */
const world = vi.hoisted(() => ({
  nowMs: 0,
  asked: [] as { atMs: number; request: unknown }[],
  onAsked: (): void => undefined,
  signals: [] as string[],
  signalFailure: undefined as Error | undefined,
}));

vi.mock('@temporalio/workflow', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  workflowInfo: () => ({ workflowId: 'agent-job/j', firstExecutionRunId: 'run' }),
  sleep: async (ms: number) => {
    world.nowMs += ms;
  },
  condition: async (isTrue: () => boolean, ms: number) => {
    if (!isTrue()) world.nowMs += ms;
  },
  proxyActivities: () => ({
    acquireLease: async (request: unknown) => {
      world.asked.push({ atMs: world.nowMs, request });
      world.onAsked();
    },
  }),
  getExternalWorkflowHandle: (workflowId: string) => ({
    signal: async ({ name }: { name: string }) => {
      world.signals.push(`${name} ${workflowId}`);
      if (world.signalFailure) throw world.signalFailure;
    },
  }),
}));

const grant: Grant = {
  leaseId: 'lease',
  podId: 'p',
  podName: 'n',
  endpoint: 'e',
  api: 'ollama',
  model: 'm',
  expiresAt: '2026-06-01T00:00:00Z',
};
const revoke = (final: boolean) => ({ leaseId: 'lease', reason: 'it ends', final });

let job: JobState;

beforeEach(() => {
  Object.assign(world, {
    nowMs: 1_000_000,
    asked: [],
    onAsked: () => undefined,
    signals: [],
    signalFailure: undefined,
  });
  vi.spyOn(Date, 'now').mockImplementation(() => world.nowMs);
  const spec = agentJobInputSchema.parse({ input: 'hi', session: 's', project: 'p', timeoutSeconds: 300 });
  job = new JobState(spec, 'lease', world.nowMs);
});

const askedAt = (): number[] => world.asked.map(({ atMs }) => (atMs - 1_000_000) / 1000);

describe('waiting for a lease', () => {
  it('asks the session in the name of the job, and takes what it gives', async () => {
    world.onAsked = () => {
      job.granted(grant);
    };
    expect(await waitForLease(job)).toBe(grant);
    expect(world.asked.map(({ request }) => request)).toEqual([
      {
        session: 's',
        sessionOptions: undefined,
        project: 'p',
        leaseId: 'lease',
        holder: { kind: 'workflow', workflowId: 'agent-job/j', firstRunId: 'run' },
        label: 'chat (agent-job/j)',
      },
    ]);
  });

  it('repeats the request every minute: it, or its answer, may have been lost', async () => {
    expect(await waitForLease(job)).toBeUndefined();
    expect(askedAt()).toEqual([0, 60, 120, 180, 240]);
    expect(world.nowMs).toBe(1_300_000);
  });

  it('asks again soon after a revoke that is not final', async () => {
    world.onAsked = () => {
      if (world.asked.length === 1) job.revoke(revoke(false));
      else job.granted(grant);
    };
    expect(await waitForLease(job)).toBe(grant);
    expect(askedAt()).toEqual([0, 2]);
  });

  it('asks ever more seldom a session that goes on refusing: a history has a longest length', async () => {
    world.onAsked = () => {
      job.revoke(revoke(false));
    };
    expect(await waitForLease(job)).toBeUndefined();
    const pauses = askedAt().map((at, i, all) => at - (all[i - 1] ?? 0));
    expect(pauses.slice(1, 6)).toEqual([2, 2, 2, 2, 2]);
    expect(Math.max(...pauses)).toBeGreaterThan(50);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(60);
    expect(world.asked.length).toBeLessThan(25);
  });

  it('asks soon again when it had to wait between two refusals', async () => {
    world.onAsked = () => {
      if (world.asked.length % 10 > 0) job.revoke(revoke(false));
    };
    await waitForLease(job);
    const [before, after] = [askedAt()[9] ?? 0, askedAt()[11] ?? 0];
    expect(after - before).toBe(62);
  });

  it('gives up at once after one that is', async () => {
    world.onAsked = () => {
      job.revoke(revoke(true));
    };
    expect(await waitForLease(job)).toBe('refused');
    expect(world.asked).toHaveLength(1);
  });

  it('does not ask for what it has', async () => {
    job.granted(grant);
    expect(await waitForLease(job)).toBe(grant);
    expect(world.asked).toEqual([]);
  });

  it('says why when the session cannot even be asked', async () => {
    world.onAsked = () => {
      const cause = ApplicationFailure.create({ type: 'ServiceError', message: 'PERMISSION_DENIED' });
      throw new ActivityFailure('Activity task failed', 'acquireLease', '1', RetryState.TIMEOUT, 'worker', cause);
    };
    await expect(waitForLease(job)).rejects.toMatchObject({
      type: 'LEASE_TIMEOUT',
      nonRetryable: true,
      message: expect.stringMatching(/session s .*PERMISSION_DENIED/) as string,
    });
  });
});

describe('telling the session', () => {
  it('goes to the session of the job', async () => {
    await releaseLease(job);
    await reportPod(job, grant, 'x'.repeat(5000));
    expect(world.signals).toEqual(['releaseLease pod-session/s', 'reportPod pod-session/s']);
  });

  // The answer is there already: news that cannot be delivered must not turn it into a failure.
  it.each(['ExternalWorkflowExecutionNotFound', 'SignalCountLimitExceeded'])(
    'spoils nothing when it fails (%s)',
    async (type) => {
      world.signalFailure = ApplicationFailure.create({ type, message: 'Unable to signal external workflow' });
      await expect(releaseLease(job)).resolves.toBeUndefined();
      await expect(reportPod(job, grant, 'x')).resolves.toBeUndefined();
    },
  );
});
