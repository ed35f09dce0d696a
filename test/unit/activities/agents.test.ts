import type { ApplicationFailure } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAgentActivities } from '../../../src/activities/agents.js';
import type { RunAgentInput } from '../../../src/activities/types.js';
import { AgentFault, type AgentRunOptions, type AgentRunResult } from '../../../src/agent/index.js';
import { MAX_JOB_BYTES } from '../../../src/contract/index.js';
import { gateToken } from '../../../src/runpod/index.js';
import { GATE_SECRET, nameOf } from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';
import { page, PodService } from './pod-service.js';

const agent: { run: (options: AgentRunOptions) => Promise<AgentRunResult> } = {
  run: () => Promise.reject(new Error('no script')),
};

const PREVIOUS = 'the secret that was in force before';
const answer = (output = 'hello'): AgentRunResult => ({
  output,
  messages: [{ role: 'assistant', content: output }],
  usage: { inputTokens: 3, outputTokens: 2 },
  timings: { totalSeconds: 1 },
});
const input: RunAgentInput = {
  grant: {
    leaseId: 'l',
    podId: 'p',
    podName: nameOf(),
    endpoint: 'http://pod.test',
    api: 'ollama',
    model: 'm',
    expiresAt: '2026-06-01T00:00:00Z',
  },
  agent: 'chat',
  input: 'hi',
  model: 'm',
};

async function run(
  prepare: (env: MockActivityEnvironment) => void = () => undefined,
  service = new PodService(new VirtualRunPod()),
  { heartbeatDetails, ...job }: Partial<RunAgentInput> & { heartbeatDetails?: unknown } = {},
) {
  const { clock, sleep, gate } = service.deps;
  const env = new MockActivityEnvironment(
    { heartbeatTimeoutMs: 10_000, heartbeatDetails },
    { logger: new DefaultLogger('ERROR') },
  );
  const beats: unknown[] = [];
  env.on('heartbeat', (details) => beats.push(details));
  prepare(env);
  const activities = createAgentActivities({
    gate,
    gateSecrets: [GATE_SECRET, PREVIOUS],
    clock,
    sleep,
    run: (options) => agent.run(options),
  });
  try {
    return {
      result: await service.time.run(
        env.run((given: RunAgentInput) => activities.runAgent(given), { ...input, ...job }),
      ),
      beats,
    };
  } catch (failure) {
    return { failure: failure as ApplicationFailure, beats };
  }
}

beforeEach(() => {
  agent.run = async () => answer();
});

describe('runAgent', () => {
  it('gives the answer without the timings, which are for logs', async () => {
    const { output, messages, usage } = answer();
    expect((await run()).result).toEqual({ output, messages, usage });
  });

  it('derives the token from the secret and the name of the pod', async () => {
    const tokens: string[] = [];
    agent.run = async ({ token }) => (tokens.push(token), answer());
    await run();
    expect(tokens).toEqual([gateToken(GATE_SECRET, nameOf())]);
  });

  it('tries the previous secret after a refusal, and reports the first refusal', async () => {
    const tokens: string[] = [];
    agent.run = async ({ token }) => {
      tokens.push(token);
      throw new AgentFault('non-retryable', 'GATE_UNAUTHORIZED', `refused ${tokens.length}`);
    };
    const { failure } = await run();
    expect(tokens).toEqual([gateToken(GATE_SECRET, nameOf()), gateToken(PREVIOUS, nameOf())]);
    expect(failure).toMatchObject({ type: 'GATE_UNAUTHORIZED', message: 'refused 1', nonRetryable: true });
  });

  it('does not try another secret after any other fault: the model may have worked already', async () => {
    let runs = 0;
    agent.run = async () => {
      runs += 1;
      throw new AgentFault('retryable', 'AGENT_FAILED', 'x');
    };
    await run();
    expect(runs).toBe(1);
  });

  it.each([
    ['retryable', 'AGENT_FAILED', false, undefined],
    ['non-retryable', 'MODEL_NOT_SERVED', true, {}],
    ['pod-lost', 'POD_LOST', true, { podLost: true }],
  ] as const)('a fault that is %s', async (kind, code, nonRetryable, detail) => {
    agent.run = async () => {
      throw new AgentFault(kind, code, 'why');
    };
    const { failure } = await run();
    expect(failure).toMatchObject({ type: code, message: 'why', nonRetryable });
    expect(failure?.details?.[0]).toEqual(detail);
  });

  it('waits as long as the model server asks', async () => {
    agent.run = async () => {
      throw new AgentFault('retryable', 'AGENT_FAILED', 'busy', 7);
    };
    expect((await run()).failure?.nextRetryDelay).toBe(7000);
  });

  it('refuses to keep an answer that does not belong into a history', async () => {
    agent.run = async () => answer('x'.repeat(MAX_JOB_BYTES));
    expect((await run()).failure).toMatchObject({ type: 'OUTPUT_TOO_LARGE', nonRetryable: true });
    agent.run = async () => answer('x'.repeat(MAX_JOB_BYTES / 2 - 200));
    expect((await run()).failure).toBeUndefined();
  });

  it('beats with every piece of the answer', async () => {
    agent.run = async ({ onToken }) => {
      for (const text of ['a', 'b', 'c']) onToken?.(text);
      return answer();
    };
    expect((await run()).beats).toContainEqual({ step: 'answering', tokens: 3 });
  });

  it('goes on with its limits where the attempt before was killed', async () => {
    const limits = { modelCalls: 3 };
    const begun: unknown[] = [];
    agent.run = async (options) => {
      begun.push(options.spent, options.limits);
      options.onSpent?.({ modelCalls: 2, tokens: 40, seconds: 9 });
      options.onToken?.('a');
      return answer();
    };
    const first = await run(undefined, undefined, { limits });
    await run(undefined, undefined, { limits, heartbeatDetails: first.beats.at(-1) });
    expect(begun).toEqual([undefined, limits, { modelCalls: 2, tokens: 40, seconds: 9 }, limits]);
  });

  it.each([
    ['the newest secret', GATE_SECRET],
    ['the one before', PREVIOUS],
  ])('touches the pod every minute while it works, with %s', async (_, secret) => {
    const service = new PodService(new VirtualRunPod());
    service.secret = secret;
    agent.run = async () => (await service.time.sleep(150_000), answer());
    await run(undefined, service);
    expect(service.touches).toEqual([{}, {}]);
  });

  it('works on when a touch fails', async () => {
    const service = new PodService(new VirtualRunPod());
    let asked = 0;
    service.before = () => (++asked === 1 ? page(502) : undefined);
    agent.run = async () => (await service.time.sleep(150_000), answer());
    expect((await run(undefined, service)).failure).toBeUndefined();
    expect(service.touches).toEqual([{}]);
  });

  it('leaves as a cancel when it is cancelled, whatever the run threw then', async () => {
    let cancel = (): void => undefined;
    agent.run = async ({ signal }) => {
      cancel();
      expect(signal.aborted).toBe(true);
      throw new Error('This operation was aborted');
    };
    const { failure } = await run((env) => {
      cancel = () => {
        env.cancel();
      };
    });
    expect(failure).toBeInstanceOf(CancelledFailure);
  });

  it('lets no message leave that would end the worker', async () => {
    agent.run = async () => {
      throw new SyntaxError(`Unexpected token ${'🚀'.slice(0, 1)}`);
    };
    expect((await run()).failure).toMatchObject({
      type: 'SyntaxError',
      message: 'Unexpected token \ufffd',
      nonRetryable: false,
    });
  });
});
