import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobHandle } from '../../src/client/index.js';
import { DevloopError } from '../../src/contract/index.js';
import { ForeignProject } from '../support/foreign-project.js';
import { LiveStack } from '../support/live-stack.js';
import { waitUntil } from '../support/processes.js';

const runner = { taskQueue: 'story-teller', activity: 'devloopRunnerStory' };
const STORY = 'Tell a very long story about a river, in many words.';
/** `temporal.api.enums.v1.PendingActivityState` */
const STARTED = 2;

const typescript = new ForeignProject();
const python = new ForeignProject();
let live: LiveStack;
let unanswered: Promise<{ failure: unknown; afterSeconds: number }>;

beforeAll(async () => {
  live = await LiveStack.start({ env: { DEVLOOP_RUNNER_QUEUES: 'story-teller, nobody-polls-this' } });
  unanswered = jobWithoutRunner();
  typescript.copy('examples/runner-typescript');
  await typescript.do('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline');
  await typescript.do('npm', 'run', 'build');
  python.copy('examples/runner-python');
  await python.do('python3', '-m', 'venv', 'venv');
  await python.do('venv/bin/pip', 'install', '--quiet', '-r', 'requirements.txt');
});

afterAll(async () => {
  typescript.remove();
  python.remove();
  await live.stop();
});

/** Waits a minute for its runner, beside the other tests. */
async function jobWithoutRunner(): Promise<{ failure: unknown; afterSeconds: number }> {
  const { handle } = await submit('unanswered', 'Hello?', { ...runner, taskQueue: 'nobody-polls-this' });
  await waitUntil(async () => (await handle.status()).phase === 'running', { what: 'a lease' });
  const since = performance.now();
  const failure: unknown = await handle.result().catch((error: unknown) => error);
  return { failure, afterSeconds: (performance.now() - since) / 1000 };
}

const submit = (session: string, input: string, by: typeof runner) =>
  live.client.submitJob({ session, input, runner: by, sessionOptions: { idleTimeoutSeconds: 10 } });

const settings = (): NodeJS.ProcessEnv => ({
  TEMPORAL_ADDRESS: live.stack.info.temporalAddress,
  TEMPORAL_NAMESPACE: live.stack.info.namespace,
  DEVLOOP_GATE_SECRET: live.stack.gateSecret,
});
const startTypescript = (): ChildProcess => typescript.start(process.execPath, ['dist/runner.js'], settings());
const startPython = (): ChildProcess => python.start(join(python.folder, 'venv/bin/python'), ['runner.py'], settings());

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Who works on the job, once it has told of its work; Temporal's word. */
async function workerOf(handle: JobHandle): Promise<string> {
  return waitUntil(
    async () => {
      const { pendingActivities } = await live.connection.workflowService.describeWorkflowExecution({
        namespace: live.stack.info.namespace,
        execution: { workflowId: handle.workflowId },
      });
      const [work] = pendingActivities;
      return Number(work?.state) === STARTED && work?.heartbeatDetails ? work.lastWorkerIdentity : undefined;
    },
    { what: 'the runner works' },
  );
}

const isGone = async (session: string): Promise<boolean> =>
  (await live.podsOf(session)).every(({ terminatedAt }) => terminatedAt !== null);

describe("another project's runner", () => {
  it('that is killed in the middle of a job: another one finishes it, on the same lease and pod', async () => {
    const first = startTypescript();
    const session = 'survives';
    const { handle } = await submit(session, STORY, runner);
    expect(await workerOf(handle)).toMatch(new RegExp(`^${first.pid}@`));
    await killed(first);
    const second = startPython();
    const { output, usage, messages, podId } = await handle.result();
    await killed(second);
    expect(output.trim()).not.toBe('');
    expect(usage.outputTokens).toBeGreaterThan(0);
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
    const { leases } = await live.client.session(session).result();
    expect(leases).toMatchObject([{ leaseId: expect.stringContaining(handle.workflowId) as string, end: 'released' }]);
    expect((await live.podsOf(session)).map(({ id }) => id)).toEqual([podId]);
  });

  it.each([
    ['TypeScript', startTypescript],
    ['Python', startPython],
  ])('in %s answers with the real model, and its pod goes by its idle time', async (language, start) => {
    const session = `tells-in-${language.toLowerCase()}`;
    const child = start();
    const { handle } = await submit(session, 'Say hello to the world.', runner);
    const { output, usage } = await handle.result();
    await killed(child);
    expect(output.trim()).not.toBe('');
    expect(usage.inputTokens).toBeGreaterThan(0);
    await waitUntil(() => isGone(session), { what: 'the pod is gone' });
    expect(await live.podsOf(session)).toHaveLength(1);
  });

  it('that nobody runs: the job fails with what to do about it, and its pod goes', async () => {
    const { failure, afterSeconds } = await unanswered;
    expect(failure).toBeInstanceOf(DevloopError);
    expect(failure).toMatchObject({ code: 'RUNNER_UNAVAILABLE' });
    expect(afterSeconds).toBeLessThan(150);
    const { leases, stopReason } = await live.client.session('unanswered').result();
    expect(leases).toMatchObject([{ end: 'released' }]);
    expect(stopReason).toMatch(/^idle for 10 s/);
    await waitUntil(() => isGone('unanswered'), { what: 'the pod is gone' });
  });

  it('on a queue that the operator does not allow gets no pod', async () => {
    const { handle } = await submit('refused', 'Hello?', { ...runner, taskQueue: 'strangers' });
    await expect(handle.result()).rejects.toMatchObject({ code: 'RUNNER_NOT_ALLOWED' });
    expect(await live.podsOf('refused')).toEqual([]);
  });
});
