import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionWorkflowId } from '../../src/contract/index.js';
import { isMissing } from '../support/binaries.js';
import { LiveStack } from '../support/live-stack.js';
import { waitUntil } from '../support/processes.js';

const PATIENCE_MS = 300_000;
/** Started, task scheduled, task started, task completed. */
const FIRST_TASK_END = 4;

let live: LiveStack;

beforeAll(async () => {
  live = await LiveStack.start({ apis: ['openai'] });
});

afterAll(async () => {
  await live.stop();
});

describe.concurrent('a job on a real model', { timeout: PATIENCE_MS }, () => {
  it.skipIf(isMissing('ollama', 'modelFile'))(
    'of Ollama: answered, in the server log, one pod, paid to the second',
    async () => {
      const answer = await answeredBy('ollama');
      expect(answer.log).toMatch(/200 .* POST +"\/api\/chat"/);
    },
  );

  it.skipIf(isMissing('llamaServer', 'modelFile'))(
    "of llama.cpp's server: answered, one pod, paid to the second",
    async () => {
      await answeredBy('openai');
    },
  );
});

describe.concurrent('a session that somebody resets to its beginning', { timeout: PATIENCE_MS }, () => {
  it('keeps its pod and its hard deadline', async () => {
    await readySession('set-back');
    const before = await live.client.session('set-back').status();
    await reset('set-back');
    await serves('set-back');
    const after = await live.client.session('set-back').status();
    expect(after.hardDeadline).toBe(before.hardDeadline);
    expect(after.pod?.id).toBe(before.pod?.id);
    await live.client.session('set-back').stop('enough');
    await live.client.session('set-back').result();
    expect(await live.podsOf('set-back')).toMatchObject([{ status: 'TERMINATED' }]);
  });

  it('and that is to stop before it has begun again ends the pod that it does not know of', async () => {
    await readySession('set-back-to-stop');
    // The run before the reset asks in vain.
    await faultOf('set-back-to-stop', { kind: 'delete-no-effect', times: 1 });
    await live.client.session('set-back-to-stop').stop('enough');
    const [pod] = await live.podsOf('set-back-to-stop');
    const isItsEnd = ({ method, path }: { method: string; path: string }): boolean =>
      method === 'DELETE' && path.endsWith(`/${pod?.id}`);
    await waitUntil(async () => (await live.requests()).some(isItsEnd), {
      what: 'the first DELETE',
    });
    await reset('set-back-to-stop');
    await live.client.session('set-back-to-stop').result();
    expect(await live.podsOf('set-back-to-stop')).toMatchObject([{ status: 'TERMINATED' }]);
  });
});

describe.concurrent('bad luck at RunPod', { timeout: PATIENCE_MS }, () => {
  it('no capacity anywhere: says so and leaves no pod', async () => {
    await faultOf('no-capacity', { kind: 'no-capacity', times: 10 });
    await expectFailure('no-capacity', {}, 'NO_CAPACITY', /Name more GPUs/);
  });

  it('no capacity for the first choice: the second is rented', async () => {
    await faultOf('second-choice', { kind: 'no-capacity', gpu: 'NVIDIA GeForce RTX 4090', times: 10 });
    const gpus = ['NVIDIA GeForce RTX 4090', 'NVIDIA RTX A5000'];
    const { session } = await live.client.startSession({ session: 'second-choice', gpus, idleTimeoutSeconds: 5 });
    const record = await live.client.session(session).result();
    expect(record.pods).toMatchObject([{ gpu: 'NVIDIA RTX A5000' }]);
  });

  it('no balance: says so and leaves no pod', async () => {
    await faultOf('no-balance', { kind: 'no-balance', times: 10 });
    await expectFailure('no-balance', {}, 'NO_BALANCE', /Add credit/);
  });

  it('a create that fails although it worked: the pod is adopted, there is no second one', async () => {
    await faultOf('adopted', { kind: 'create-500-created' });
    await live.client.startSession({ session: 'adopted', idleTimeoutSeconds: 5 });
    const record = await live.client.session('adopted').result();
    expect(record.stopReason).toMatch(/^idle/);
    expect(await live.podsOf('adopted')).toMatchObject([{ status: 'TERMINATED' }]);
  });

  it('an image that cannot be pulled: the boot fails and the pod ends', async () => {
    await faultOf('no-image', { kind: 'image-unpullable' });
    await expectFailure('no-image', {}, 'BOOT_FAILED', /RunPod shows the pod as EXITED/, 1);
  });

  it('a DELETE without effect is repeated until the pod is gone', async () => {
    await live.client.startSession({ session: 'stubborn', idleTimeoutSeconds: 600 });
    await faultOf('stubborn', { kind: 'delete-no-effect', times: 2 });
    await waitUntil(async () => (await live.client.session('stubborn').status()).phase === 'ready', {
      what: 'ready',
    });
    await live.client.session('stubborn').stop('enough');
    const { unsettled } = await live.client.session('stubborn').result();
    expect(unsettled).toEqual([]);
    expect(await live.podsOf('stubborn')).toMatchObject([{ status: 'TERMINATED' }]);
  });
});

describe.concurrent('a session stopped while it is being rented', { timeout: PATIENCE_MS }, () => {
  it('ends at once, and so does its pod', async () => {
    await live.client.startSession({ session: 'changed-mind' });
    await live.client.session('changed-mind').stop('changed my mind');
    const { startedAt, endedAt } = await live.client.session('changed-mind').result();
    expect((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toBeLessThan(150);
    expect((await live.podsOf('changed-mind')).filter(({ terminatedAt }) => terminatedAt === null)).toEqual([]);
  });
});

describe.concurrent('bad input', { timeout: PATIENCE_MS }, () => {
  it('an unknown GPU: says which there are and leaves no pod', async () => {
    await expectFailure('no-gpu', { gpus: ['RTX 9999'] }, 'GPU_UNKNOWN', /RTX 9999: RunPod has no .*NVIDIA/);
  });

  it('a price limit below the price: names both', async () => {
    await expectFailure('too-cheap', { maxPriceUsdPerHour: 0.1 }, 'PRICE_LIMIT', /(?=.*0\.69)(?=.*0\.1\b)/);
  });

  it.skipIf(isMissing('ollama'))('an unknown model: the boot ends with the cause, and so does the pod', async () => {
    const input = { model: 'no-such-model:latest', api: 'ollama' as const, readyTimeoutSeconds: 200 };
    await expectFailure('no-model', input, 'MODEL_NOT_SERVED', /no-such-model:latest/, 1);
  });
});

/** Strikes this session alone: the others go on beside it. */
function faultOf(session: string, fault: Record<string, unknown>): Promise<void> {
  return live.fault({ ...fault, match: { podName: `.${session}.` } });
}

async function answeredBy(api: 'ollama' | 'openai'): Promise<{ log: string }> {
  const session = `real-${api}`;
  const sessionOptions = { api, idleTimeoutSeconds: 5 };
  const job = await live.client.submitJob({
    session,
    input: 'Say hello to the world.',
    project: 'tests',
    sessionOptions,
  });
  const { output, usage, podId, messages } = await job.handle.result();
  expect(output.length).toBeGreaterThan(0);
  expect(usage.outputTokens).toBeGreaterThan(0);
  expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
  const record = await live.client.session(session).result();
  expect(record.jobsServed).toBe(1);
  const [pod, ...others] = await live.podsOf(session);
  expect(others).toEqual([]);
  expect(pod).toMatchObject({ id: podId, status: 'TERMINATED' });
  const livedSeconds = (Date.parse(pod?.terminatedAt ?? '') - Date.parse(pod?.createdAt ?? '')) / 1000;
  expect(Math.abs((pod?.billedSeconds ?? 0) - livedSeconds)).toBeLessThanOrEqual(1);
  // Our own record and RunPod's bill are two sources: they agree but for what a DELETE takes on a busy machine.
  expect(Math.abs(record.costUsd - (pod?.costUsd ?? 0))).toBeLessThan((0.69 / 3600) * 15);
  return { log: live.podLog(podId) };
}

async function readySession(session: string): Promise<void> {
  await live.client.startSession({ session, idleTimeoutSeconds: 600 });
  await serves(session);
}

async function serves(session: string): Promise<void> {
  await waitUntil(async () => (await live.client.session(session).status()).phase === 'ready', {
    what: `session ${session} serves`,
  });
}

async function reset(session: string): Promise<void> {
  await live.connection.workflowService.resetWorkflowExecution({
    namespace: live.stack.info.namespace,
    workflowExecution: { workflowId: sessionWorkflowId(session) },
    reason: 'test',
    requestId: randomUUID(),
    // A number is taken as well; only the types want a Long.
    workflowTaskFinishEventId: FIRST_TASK_END as never,
  });
}

type Input = Omit<Parameters<LiveStack['client']['startSession']>[0], 'session'>;

async function expectFailure(session: string, input: Input, code: string, message: RegExp, pods = 0): Promise<void> {
  await live.client.startSession({ session, ...input });
  await expect(live.client.session(session).result()).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  });
  const rented = await live.podsOf(session);
  expect(rented).toHaveLength(pods);
  expect(rented.filter(({ terminatedAt }) => terminatedAt === null)).toEqual([]);
}
