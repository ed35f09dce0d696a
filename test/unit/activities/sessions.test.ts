import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { createSessionActivities, currentRunCheck } from '../../../src/activities/sessions.js';
import type { AcquireLeaseInput, WaitingHolder } from '../../../src/activities/types.js';
import { acquireLeaseSchema, podSessionInputSchema } from '../../../src/contract/index.js';

type Described = { runId?: string; status: { name: string }; raw: { workflowExecutionInfo?: { firstRunId?: string } } };

function clientWhere(describe: (workflowId: string) => Described): Client {
  const getHandle = (workflowId: string) => ({ describe: async () => describe(workflowId) });
  return { workflow: { getHandle } } as unknown as Client;
}

const described = (name: string, firstRunId?: string): Described => ({
  status: { name },
  raw: { workflowExecutionInfo: { ...(firstRunId === undefined ? {} : { firstRunId }) } },
});

const workflow = (firstRunId?: string): WaitingHolder => ({
  leaseId: 'l',
  holder: { kind: 'workflow', workflowId: 'w', firstRunId },
});

async function stateOf(holder: WaitingHolder, answer: () => Described): Promise<string | undefined> {
  const [state] = await createSessionActivities(clientWhere(answer)).describeHolders([holder]);
  expect(state?.leaseId).toBe(holder.leaseId);
  return state?.state;
}

describe('describeHolders', () => {
  it.each([
    ['RUNNING', 'running'],
    ['COMPLETED', 'gone'],
    ['FAILED', 'gone'],
    ['CANCELLED', 'gone'],
    ['TERMINATED', 'gone'],
    ['TIMED_OUT', 'gone'],
    ['CONTINUED_AS_NEW', 'unknown'],
    ['PAUSED', 'unknown'],
    ['UNSPECIFIED', 'unknown'],
    ['UNKNOWN', 'unknown'],
  ])('takes a holder that is %s for %s', async (status, state) => {
    expect(await stateOf(workflow('r1'), () => described(status, 'r1'))).toBe(state);
  });

  it.each([
    ['the same first run', 'r1', 'r1', 'running'],
    ['another first run: the id was used again', 'r1', 'r2', 'gone'],
    ['a holder that names no run', undefined, 'r2', 'running'],
    ['a server that names no run', 'r1', undefined, 'running'],
  ])('%s', async (_what, asked, seen, state) => {
    expect(await stateOf(workflow(asked), () => described('RUNNING', seen))).toBe(state);
  });

  it.each([
    ['NotFound', new WorkflowNotFoundError('not found', 'w', undefined), 'gone'],
    ['a deadline', Object.assign(new Error('DEADLINE_EXCEEDED'), { code: 4 }), 'unknown'],
    ['an unreachable server', Object.assign(new Error('UNAVAILABLE'), { code: 14 }), 'unknown'],
    ['a refusal', Object.assign(new Error('PERMISSION_DENIED'), { code: 7 }), 'unknown'],
  ])('takes %s for %s', async (_what, error, state) => {
    const fail = (): never => {
      throw error;
    };
    expect(await stateOf(workflow('r1'), fail)).toBe(state);
  });

  it('knows nothing of external holders', async () => {
    const external: WaitingHolder = { leaseId: 'l', holder: { kind: 'external' } };
    expect(await stateOf(external, () => described('COMPLETED'))).toBe('unknown');
  });

  it('answers for all, and one that cannot be asked does not hide the others', async () => {
    const client = clientWhere((workflowId) => {
      if (workflowId === 'b') throw new Error('UNAVAILABLE');
      return described(workflowId === 'a' ? 'RUNNING' : 'COMPLETED');
    });
    const holders = ['a', 'b', 'c'].map((id) => ({
      leaseId: id,
      holder: { kind: 'workflow' as const, workflowId: id },
    }));
    expect(await createSessionActivities(client).describeHolders(holders)).toEqual([
      { leaseId: 'a', state: 'running' },
      { leaseId: 'b', state: 'unknown' },
      { leaseId: 'c', state: 'gone' },
    ]);
  });
});

describe('currentRunCheck', () => {
  const run = { workflowId: 'w', runId: 'mine' };
  const newest = (runId: string, name: string) => clientWhere(() => ({ ...described(name), runId }));

  it.each([
    ['the newest run, which runs', 'mine', 'RUNNING', true],
    ['a run that was replaced by a reset', 'newer', 'RUNNING', false],
    ['a run that was terminated', 'mine', 'TERMINATED', false],
  ])('of %s', async (_what, runId, status, isCurrent) => {
    expect(await currentRunCheck(newest(runId, status))(run)).toBe(isCurrent);
  });

  it('takes a workflow that Temporal does not know for one that has ended, and concludes nothing from other trouble', async () => {
    const failing = (error: Error) =>
      currentRunCheck(
        clientWhere(() => {
          throw error;
        }),
      );
    expect(await failing(new WorkflowNotFoundError('not found', 'w', undefined))(run)).toBe(false);
    await expect(failing(new Error('UNAVAILABLE'))(run)).rejects.toThrow('UNAVAILABLE');
  });
});

describe('acquireLease', () => {
  const input = (change: Partial<AcquireLeaseInput> = {}): AcquireLeaseInput => ({
    session: 's',
    leaseId: 'agent-job/j/run',
    holder: { kind: 'workflow', workflowId: 'agent-job/j', firstRunId: 'run' },
    label: 'chat (agent-job/j)',
    ...change,
  });

  async function sent(change: Partial<AcquireLeaseInput> = {}) {
    const calls: { type: string; options: Record<string, unknown> }[] = [];
    const signalWithStart = async (type: string, options: Record<string, unknown>): Promise<void> => {
      calls.push({ type, options });
    };
    await createSessionActivities({ workflow: { signalWithStart } } as unknown as Client).acquireLease(input(change));
    expect(calls).toHaveLength(1);
    return calls[0]!;
  }

  it('starts the session if need be, in the name of the holder, with the options of the job', async () => {
    const { type, options } = await sent({ sessionOptions: { idleTimeoutSeconds: 60 }, project: 'p' });
    expect(type).toBe('PodSession');
    expect(options).toMatchObject({
      workflowId: 'pod-session/s',
      taskQueue: 'devloop',
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      signal: 'acquireLease',
      args: [{ session: 's', project: 'p', startedBy: 'agent-job/j', idleTimeoutSeconds: 60 }],
    });
    expect(options).not.toHaveProperty('workflowRunTimeout');
    expect(options).not.toHaveProperty('workflowExecutionTimeout');
  });

  it('sends what both schemas of the contract take, however long the names are', async () => {
    const workflowId = `agent-job/${'j'.repeat(100)}`;
    const { options } = await sent({
      session: 's'.repeat(40),
      project: 'p'.repeat(100),
      leaseId: `${workflowId}/0197a2b4-0000-7000-8000-00000000c0de`,
      holder: { kind: 'workflow', workflowId, firstRunId: '0197a2b4-0000-7000-8000-00000000c0de' },
      label: `${'a'.repeat(100)} (${workflowId})`,
    });
    const wire = JSON.parse(JSON.stringify(options)) as { args: unknown[]; signalArgs: unknown[] };
    expect(podSessionInputSchema.safeParse(wire.args[0]).error).toBeUndefined();
    expect(acquireLeaseSchema.safeParse(wire.signalArgs[0]).error).toBeUndefined();
  });
});
