import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunnerInput } from '../../src/contract/index.js';
import { waitUntil } from '../support/processes.js';
import {
  FakeWorld,
  finalFailure,
  RUNNER_QUEUE,
  startJob,
  startSession,
  untilCancelled,
  withRunner,
  withWorkers,
} from '../support/session-world.js';
import { devServer } from '../support/temporal-servers.js';

// With DEVLOOP_RECORD_HISTORIES=<label>, what is run here becomes a history that replay.test.ts replays for ever.
const label = process.env.DEVLOOP_RECORD_HISTORIES;
const folder = new URL('./histories/', import.meta.url);

let env: TestWorkflowEnvironment;

beforeAll(async () => {
  env = await devServer();
});

afterAll(async () => {
  await env.teardown();
});

describe('a session', () => {
  it('that boots, idles and stops takes at most 40 events', async () => {
    await withWorkers(env, new FakeWorld(), async () => {
      const { name, handle, record } = await startSession(env.client, { idleTimeoutSeconds: 5, project: 'demo' });
      await record();
      expect(await events(handle.workflowId)).toBeLessThanOrEqual(40);
      save(env, `pod-session/${name}`, 'pod-session.idle');
    });
  });

  it('takes at most 14 events a job, and a job at most 30', async () => {
    await withWorkers(env, new FakeWorld(), async () => {
      const { name, handle, status, record } = await startSession(env.client, { idleTimeoutSeconds: 6 });
      await waitUntil(async () => (await status()).phase === 'ready', { what: 'ready' });
      const before = await events(handle.workflowId);
      const jobs = 5;
      for (let n = 0; n < jobs; n++) {
        const job = await startJob(env.client, { session: name, input: 'hi' });
        await job.result();
        expect(await events(job.workflowId)).toBeLessThanOrEqual(30);
        if (n === 0) save(env, job.workflowId, 'agent-job.answered');
      }
      expect(((await events(handle.workflowId)) - before) / jobs).toBeLessThanOrEqual(14);
      await record();
      save(env, handle.workflowId, 'pod-session.jobs');
    });
  });

  it('asked to stop while it boots', async () => {
    const world = new FakeWorld();
    world.overrides.pollPod = untilCancelled;
    await withWorkers(env, world, async () => {
      const { handle, status, record } = await startSession(env.client);
      await waitUntil(async () => (await status()).phase === 'booting', { what: 'booting' });
      await handle.signal('stop', { reason: 'no longer wanted' });
      expect((await record()).stopReason).toBe('no longer wanted');
      save(env, handle.workflowId, 'pod-session.stopped-while-booting');
    });
  });

  it('cancelled while a job runs, which fails', async () => {
    const world = new FakeWorld();
    world.overrides.runAgent = untilCancelled;
    await withWorkers(env, world, async () => {
      const { name, handle, status, record } = await startSession(env.client);
      const job = await startJob(env.client, { session: name, input: 'hi' });
      await waitUntil(async () => (await status()).leases.length === 1, { what: 'a lease' });
      await handle.cancel();
      await expect(record()).rejects.toThrow();
      await expect(job.result()).rejects.toMatchObject({ cause: { type: 'LEASE_REVOKED' } });
      save(env, handle.workflowId, 'pod-session.cancelled');
      save(env, job.workflowId, 'agent-job.revoked');
    });
  });

  it('whose pod does not boot', async () => {
    const world = new FakeWorld();
    world.overrides.pollPod = async () => {
      throw finalFailure('BOOT_FAILED', 'the pod did not start');
    };
    await withWorkers(env, world, async () => {
      const { handle, record } = await startSession(env.client);
      await expect(record()).rejects.toMatchObject({ cause: { type: 'BOOT_FAILED' } });
      save(env, handle.workflowId, 'pod-session.boot-failed');
    });
  });
});

describe('a job', () => {
  it('cancelled while it runs', async () => {
    const world = new FakeWorld();
    world.overrides.runAgent = untilCancelled;
    await withWorkers(env, world, async () => {
      const { name, handle, status, record } = await startSession(env.client, { idleTimeoutSeconds: 5 });
      const job = await startJob(env.client, { session: name, input: 'hi' });
      await waitUntil(async () => (await status()).leases.length === 1, { what: 'a lease' });
      await job.handle.cancel();
      await expect(job.result()).rejects.toThrow();
      await record();
      save(env, job.workflowId, 'agent-job.cancelled');
      save(env, handle.workflowId, 'pod-session.released-by-cancel');
    });
  });

  it('that loses its pod goes on with another one', async () => {
    const world = new FakeWorld();
    let runs = 0;
    world.overrides.checkPod = async () => ({ verdict: 'lost', detail: 'nothing answers' });
    world.overrides.runAgent = async () => {
      runs += 1;
      if (runs === 1) throw finalFailure('POD_LOST', 'no connection to the pod', { podLost: true });
      return { output: 'at last', messages: [], usage: { inputTokens: 1, outputTokens: 1 } };
    };
    await withWorkers(env, world, async () => {
      const { name, handle, record } = await startSession(env.client, { idleTimeoutSeconds: 5 });
      const job = await startJob(env.client, { session: name, input: 'hi' });
      expect((await job.result()).output).toBe('at last');
      expect(world.rented).toHaveLength(2);
      expect((await record()).pods).toHaveLength(2);
      save(env, job.workflowId, 'agent-job.pod-replaced');
      save(env, handle.workflowId, 'pod-session.pod-replaced');
    });
  });
});

describe('a job that cannot reach its pod for a while', () => {
  it('tries it again after half a minute', async () => {
    const world = new FakeWorld();
    let runs = 0;
    world.overrides.runAgent = async () => {
      runs += 1;
      if (runs === 1) throw finalFailure('POD_LOST', 'no connection to the pod', { podLost: true });
      return { output: 'at last', messages: [], usage: { inputTokens: 1, outputTokens: 1 } };
    };
    await withWorkers(env, world, async () => {
      const { name } = await startSession(env.client, { idleTimeoutSeconds: 600 });
      const job = await startJob(env.client, { session: name, input: 'hi' });
      expect((await job.result()).output).toBe('at last');
      save(env, job.workflowId, 'agent-job.tried-again');
    });
    expect(world.rented).toHaveLength(1);
  });
});

describe("a job with another project's runner", () => {
  const runner = { taskQueue: RUNNER_QUEUE, activity: 'devloopRunnerReview' };

  it('answers what the runner answers, which got the lease without a token, the input and the project', async () => {
    const given: RunnerInput[] = [];
    const review = async (input: RunnerInput): Promise<unknown> => {
      given.push(input);
      return { output: 'fine', usage: { inputTokens: 3, outputTokens: 1 } };
    };
    await withWorkers(env, new FakeWorld(), () =>
      withRunner(env, { devloopRunnerReview: review }, async () => {
        const { name, record } = await startSession(env.client, { idleTimeoutSeconds: 5 });
        const job = await startJob(env.client, { session: name, input: 'hi', project: 'demo', runner });
        expect(await job.result()).toMatchObject({ output: 'fine', messages: [], podId: 'pod1' });
        expect(given).toEqual([{ lease: expect.any(Object) as unknown, input: 'hi', project: 'demo' }]);
        expect(Object.keys(given[0]!.lease).sort()).toEqual(
          'api costPerHourUsd endpoint expiresAt idleTimeoutSeconds leaseId model podId podName'.split(' '),
        );
        expect((await record()).leases).toMatchObject([{ label: `devloopRunnerReview (${job.workflowId})` }]);
        save(env, job.workflowId, 'agent-job.runner-answered');
      }),
    );
  });

  it('on a queue that the operator does not allow rents nothing', async () => {
    const world = new FakeWorld();
    await withWorkers(env, world, async () => {
      const job = await startJob(env.client, { input: 'hi', runner: { ...runner, taskQueue: 'stranger' } });
      await expect(job.result()).rejects.toMatchObject({
        cause: { type: 'RUNNER_NOT_ALLOWED', message: expect.stringContaining('DEVLOOP_RUNNER_QUEUES') as string },
      });
      save(env, job.workflowId, 'agent-job.runner-refused');
    });
    expect(world.rented).toEqual([]);
  });

  // A job of 6 s waits for its runner no longer than that; any other for a minute.
  it('that nobody runs fails, and gives its lease back', async () => {
    await withWorkers(env, new FakeWorld(), async () => {
      const { name, status, record } = await startSession(env.client, { idleTimeoutSeconds: 5 });
      await waitUntil(async () => (await status()).phase === 'ready', { what: 'ready' });
      const job = await startJob(env.client, { session: name, input: 'hi', runner, timeoutSeconds: 6 });
      await expect(job.result()).rejects.toMatchObject({
        cause: {
          type: 'RUNNER_UNAVAILABLE',
          message: expect.stringMatching(
            /devloopRunnerReview on task queue other-project .*Start the runner/,
          ) as string,
        },
      });
      const { leases, stopReason } = await record();
      expect(leases).toMatchObject([{ end: 'released' }]);
      expect(stopReason).toMatch(/^idle for 5 s/);
      save(env, job.workflowId, 'agent-job.runner-unavailable');
    });
  });

  it('that says that the pod is lost goes on with another one', async () => {
    const world = new FakeWorld();
    world.overrides.checkPod = async () => ({ verdict: 'lost', detail: 'nothing answers' });
    let runs = 0;
    const review = async ({ lease }: RunnerInput): Promise<unknown> => {
      runs += 1;
      // Retryable by its own account: on the same pod it would be tried in vain.
      if (runs === 1) throw ApplicationFailure.retryable('connection refused', 'POD_LOST');
      return lease.podId;
    };
    await withWorkers(env, world, () =>
      withRunner(env, { devloopRunnerReview: review }, async () => {
        const { name } = await startSession(env.client, { idleTimeoutSeconds: 5 });
        const job = await startJob(env.client, { session: name, input: 'hi', runner });
        expect((await job.result()).output).toBe('pod2');
        expect([runs, world.rented.length]).toEqual([2, 2]);
        save(env, job.workflowId, 'agent-job.runner-pod-replaced');
      }),
    );
  });
});

describe('a busy session', () => {
  it('continues as new and keeps its pod, its leases and its deadlines', async () => {
    const small = await devServer(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=60']);
    try {
      const world = new FakeWorld();
      await withWorkers(small, world, async () => {
        const { name, handle, record } = await startSession(small.client, { idleTimeoutSeconds: 5 });
        for (let n = 0; n < 12; n++) {
          const job = await startJob(small.client, { session: name, input: 'hi' });
          await job.result();
        }
        const { runId, raw } = await small.client.workflow.getHandle(handle.workflowId).describe();
        expect(runId).not.toBe(raw.workflowExecutionInfo?.firstRunId);
        const { jobsServed, pods, phases } = await record();
        expect({ jobsServed, pods: pods.length, phases: phases.map(({ phase }) => phase) }).toEqual({
          jobsServed: 12,
          pods: 1,
          phases: ['creating', 'booting', 'ready', 'stopping'],
        });
        saveRun(small, handle.workflowId, raw.workflowExecutionInfo?.firstRunId ?? '', 'pod-session.continued-as-new');
        save(small, handle.workflowId, 'pod-session.continued');
      });
      expect(world.rented).toHaveLength(1);
      expect(world.stopped).toBe(1);
    } finally {
      await small.teardown();
    }
  });
});

async function events(workflowId: string): Promise<number> {
  const { historyLength } = await env.client.workflow.getHandle(workflowId).describe();
  return historyLength;
}

function save(server: TestWorkflowEnvironment, workflowId: string, name: string): void {
  saveRun(server, workflowId, '', name);
}

/** A worker's own queue is named after its machine. */
const isHostName = (value: unknown): boolean => typeof value === 'string' && /^\d+@/.test(value);

/** As the Temporal CLI shows it: the SDK's own JSON form is not what its replayer reads. */
function saveRun(server: TestWorkflowEnvironment, workflowId: string, runId: string, name: string): void {
  if (label === undefined) return;
  const args = ['workflow', 'show', '--address', server.address, '-w', workflowId, '--output', 'json'];
  if (runId !== '') args.push('-r', runId);
  const shown = execFileSync(process.env.DEVLOOP_TEMPORAL_CLI ?? 'temporal', args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  const history: unknown = JSON.parse(shown, (key, value: unknown) =>
    key === 'identity' || (key === 'name' && isHostName(value)) ? 'recorder' : value,
  );
  mkdirSync(folder, { recursive: true });
  // Stack traces name the folder of whoever records; a replay does not read them.
  const text = JSON.stringify(history, null, 1).replaceAll(`${process.cwd()}/`, '');
  writeFileSync(fileURLToPath(new URL(`${name}.${label}.json`, folder)), `${text}\n`);
}
