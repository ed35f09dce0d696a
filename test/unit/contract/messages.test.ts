import { describe, expect, it } from 'vitest';
import {
  acquireLeaseSchema,
  agentJobInputSchema,
  DevloopError,
  ERROR_CODES,
  grantSchema,
  isErrorCode,
  jobIdOf,
  jobIdSchema,
  jobLeaseId,
  jobWorkflowId,
  jsonBytes,
  leaseRevokedSchema,
  parseMessage,
  podSessionInputSchema,
  runnerResultSchema,
  releaseLeaseSchema,
  renewLeaseSchema,
  reportPodSchema,
  sessionNameOf,
  sessionWorkflowId,
  stopSchema,
} from '../../../src/contract/index.js';

const HALF_AN_EMOJI = '\ud83d';
const lease = (change: object = {}): object => ({
  leaseId: 'l',
  holder: { kind: 'workflow', workflowId: 'w' },
  ...change,
});
const problemsOf = (schema: typeof acquireLeaseSchema, value: unknown): string[] =>
  (schema.safeParse(value).error?.issues ?? []).map(({ path }) => path.join('.'));

describe('acquireLease', () => {
  it('counts as not held without a word', () => {
    expect(acquireLeaseSchema.parse({ ...lease(), more: 1 })).toEqual({ ...lease(), hold: false });
  });

  it('needs a workflow id for a workflow and none for others', () => {
    expect(problemsOf(acquireLeaseSchema, lease({ holder: { kind: 'workflow' } }))).toEqual(['holder.workflowId']);
    expect(problemsOf(acquireLeaseSchema, lease({ holder: { kind: 'external' } }))).toEqual([]);
    expect(problemsOf(acquireLeaseSchema, lease({ holder: { kind: 'person' } }))).toEqual(['holder.kind']);
  });

  it.each([
    [4.9, false],
    [5, true],
    [600, true],
    [601, false],
  ])('with a term of %d s: %s', (ttlSeconds, taken) => {
    expect(acquireLeaseSchema.safeParse(lease({ ttlSeconds })).success).toBe(taken);
  });

  // Temporal refuses commands with such ids: the session's workflow task would fail for ever, or take its worker along.
  it.each([
    ['empty', ''],
    ['longer than 400 characters', 'w'.repeat(401)],
    ['longer than 1000 bytes', '漢'.repeat(400)],
    ['cut in the middle of a character', `w${HALF_AN_EMOJI}`],
  ])('refuses a workflow id that is %s', (_what, workflowId) => {
    expect(problemsOf(acquireLeaseSchema, lease({ holder: { kind: 'workflow', workflowId } }))).toEqual([
      'holder.workflowId',
    ]);
  });

  it.each(['w'.repeat(400), '漢'.repeat(333), 'with spaces / and 🚀'])(
    'takes a workflow id that Temporal takes',
    (workflowId) => {
      expect(problemsOf(acquireLeaseSchema, lease({ holder: { kind: 'workflow', workflowId } }))).toEqual([]);
    },
  );

  it("takes a job's lease id with the longest job id", () => {
    const jobId = jobIdSchema.parse('j'.repeat(100));
    const leaseId = jobLeaseId(jobWorkflowId(jobId), '0197a2b4-1111-7222-8333-44445555c0de');
    expect(problemsOf(acquireLeaseSchema, lease({ leaseId }))).toEqual([]);
  });
});

describe('stop', () => {
  it.each([
    ['with a reason', { reason: 'lunch' }, 'lunch'],
    ['without one', {}, 'asked to stop'],
    ['with an overlong one', { reason: 'x'.repeat(600) }, 'x'.repeat(500)],
    ['with one that cutting breaks', { reason: `${'x'.repeat(499)}🚀` }, `${'x'.repeat(499)}\ufffd`],
    ['with half a character', { reason: HALF_AN_EMOJI }, '\ufffd'],
    ['with something else for a reason', { reason: 7 }, 'asked to stop'],
    ['with something else altogether', 'lunch', 'asked to stop'],
  ])('is obeyed %s', (_what, message, reason) => {
    expect(stopSchema.parse(message)).toEqual({ reason });
  });
});

describe('the other messages', () => {
  it('renewLease takes times with and without an offset, and none', () => {
    for (const lastUsedAt of ['2026-06-01T12:00:00Z', '2026-06-01T14:00:00.5+02:00', undefined]) {
      expect(renewLeaseSchema.safeParse({ leaseId: 'l', lastUsedAt }).success).toBe(true);
    }
    for (const lastUsedAt of ['yesterday', '2026-06-01', 1_780_000_000, '']) {
      expect(renewLeaseSchema.safeParse({ leaseId: 'l', lastUsedAt }).success).toBe(false);
    }
  });

  it('releaseLease and reportPod need their ids', () => {
    expect(releaseLeaseSchema.safeParse({}).success).toBe(false);
    expect(reportPodSchema.safeParse({ podId: 'p', problem: 'x'.repeat(1000) }).success).toBe(true);
    expect(reportPodSchema.safeParse({ podId: 'p', problem: 'x'.repeat(1001) }).success).toBe(false);
    expect(reportPodSchema.safeParse({ podId: '', problem: '' }).success).toBe(false);
  });

  it('a grant says everything but the token', () => {
    const grant = {
      leaseId: 'l',
      podId: 'p',
      podName: 'n',
      endpoint: 'e',
      api: 'ollama',
      model: 'm',
      expiresAt: '2026-06-01T12:00:00Z',
    };
    expect(grantSchema.parse({ ...grant, token: 'secret' })).toEqual(grant);
    for (const field of Object.keys(grant))
      expect(grantSchema.safeParse({ ...grant, [field]: undefined }).success).toBe(false);
  });

  it('a revoke says whether asking again helps, in text that may become a failure', () => {
    expect(leaseRevokedSchema.parse({ leaseId: 'l', reason: `no${HALF_AN_EMOJI}`, final: true })).toEqual({
      leaseId: 'l',
      reason: 'no\ufffd',
      final: true,
    });
    expect(leaseRevokedSchema.safeParse({ leaseId: 'l', reason: 'r' }).success).toBe(false);
  });
});

describe('the input of a job', () => {
  it('is a prompt, with defaults', () => {
    expect(agentJobInputSchema.parse({ input: 'hi' })).toEqual({
      session: 'default',
      agent: 'chat',
      input: 'hi',
      timeoutSeconds: 1800,
    });
  });

  it.each([
    ['input', ''],
    ['input', []],
    ['input', undefined],
    ['input', [{ role: 'robot', content: 'x' }]],
    ['session', 'Not A Name'],
    ['agent', ''],
    ['agent', 'a'.repeat(101)],
    ['model', ''],
    ['project', 'p'.repeat(101)],
    ['timeoutSeconds', 4],
    ['timeoutSeconds', 86_401],
    ['timeoutSeconds', NaN],
    ['sessionOptions', { gpuCount: 9 }],
    ['sessionOptions', { idleTimeoutSeconds: -1 }],
  ])('names the field when %s is %j', (field, value) => {
    expect(() => parseMessage(agentJobInputSchema, { input: 'hi', [field]: value }, 'AgentJob input')).toThrow(
      new RegExp(`^AgentJob input: ${field}`),
    );
  });

  it('refuses what the session that it starts would refuse: that session could tell nobody', () => {
    const sessionOptions = { image: 'i', templateId: 't' };
    const job = agentJobInputSchema.safeParse({ input: 'hi', sessionOptions });
    expect(podSessionInputSchema.safeParse({ session: 's', ...sessionOptions }).success).toBe(false);
    expect(job.error?.issues.map(({ path }) => path.join('.'))).toEqual(['sessionOptions.templateId']);
  });

  it.each([
    ['limits', { modelCalls: 0 }],
    ['limits', { tokens: 1.5 }],
    ['limits', { seconds: 86_401 }],
    ['outputSchema', 'string'],
    ['outputSchema', { description: 'x'.repeat(16 * 1024) }],
  ])('names the field when %s is out of bounds', (field, value) => {
    expect(agentJobInputSchema.safeParse({ input: 'hi', [field]: value }).error?.issues[0]?.path[0]).toBe(field);
  });
});

describe('names', () => {
  it('go both ways', () => {
    expect(sessionNameOf(sessionWorkflowId('s'))).toBe('s');
    expect(jobIdOf(jobWorkflowId('j'))).toBe('j');
    expect(sessionNameOf(jobWorkflowId('j'))).toBeUndefined();
    expect(jobIdOf('other')).toBeUndefined();
  });

  it.each(['j', 'A.b_c-9', 'x'.repeat(100)])('%s is a job id', (id) => {
    expect(jobIdSchema.safeParse(id).success).toBe(true);
  });

  it.each(['', '-j', '.j', 'a b', 'a/b', 'é', 'x'.repeat(101)])('%j is no job id', (id) => {
    expect(jobIdSchema.safeParse(id).success).toBe(false);
  });
});

describe('error codes', () => {
  it('are stable words, each once', () => {
    expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
    for (const code of ERROR_CODES) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  });

  it('are told from anything else', () => {
    expect(ERROR_CODES.every(isErrorCode)).toBe(true);
    for (const other of ['no_capacity', '', undefined, null, 7, 'toString']) expect(isErrorCode(other)).toBe(false);
  });

  it('travel with their error', () => {
    const cause = new Error('why');
    expect(new DevloopError('NO_BALANCE', 'm', { cause })).toMatchObject({
      name: 'DevloopError',
      code: 'NO_BALANCE',
      message: 'm',
      cause,
    });
  });
});

describe('jsonBytes', () => {
  it('counts what goes over the wire', () => {
    for (const value of ['ascii', 'é漢🚀', { a: [1, null] }, null])
      expect(jsonBytes(value)).toBe(Buffer.byteLength(JSON.stringify(value)));
  });
});

describe('the runner of a job', () => {
  const runner = { taskQueue: 'reviews', activity: 'devloopRunnerReview' };
  const read = (job: object) => agentJobInputSchema.safeParse({ input: 'hi', ...job });

  it('is an activity on a queue of another project', () => {
    expect(read({ runner }).data?.runner).toEqual(runner);
  });

  it.each([
    ['taskQueue', 'devloop'],
    ['taskQueue', 'devloop-poll'],
    ['taskQueue', ' Devloop-agents'],
    ['taskQueue', ''],
    ['activity', 'stopPod'],
    ['activity', 'devLoopRunner'],
    ['activity', 'devloopRunner(1)'],
    ['activity', undefined],
  ])('is refused with %s %j', (field, value) => {
    expect(read({ runner: { ...runner, [field]: value } }).error?.issues[0]?.path).toEqual(['runner', field]);
  });

  it.each([
    ['agent', 'react'],
    ['model', 'm'],
    ['limits', { seconds: 5 }],
    ['outputSchema', {}],
  ])('is told nothing of %s, so a job that has both is refused', (field, value) => {
    expect(read({ runner, [field]: value }).error?.issues.map(({ path }) => path)).toEqual([[field]]);
  });
});

describe('the result of a runner', () => {
  it.each([
    ['a string', 'hello'],
    ['the output alone', { output: 'hello' }],
    ['what Python leaves empty', { output: 'hello', messages: null, usage: { inputTokens: null } }],
  ])('is %s', (_what, result) => {
    expect(runnerResultSchema.parse(result)).toEqual({
      output: 'hello',
      messages: [],
      usage: { inputTokens: 0, outputTokens: 0 },
    });
  });

  it.each([[undefined], [null], [['hello']], [{ output: 1 }], [{ output: 'x', usage: { inputTokens: -1 } }]])(
    'is not %j',
    (result) => {
      expect(runnerResultSchema.safeParse(result).success).toBe(false);
    },
  );
});
