import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { lookAtSessions } from '../../../src/client/internal.js';
import type { SessionLook } from '../../../src/contract/index.js';

interface Seen {
  readonly status: string;
  readonly firstRunId?: string;
  readonly podId?: string;
}

/** A Temporal that shows these sessions; what it throws is in their place. */
function temporalWith(sessions: Record<string, Seen | Error>, asked: string[] = []): Client {
  const getHandle = (workflowId: string) => ({
    describe: async () => {
      asked.push(workflowId);
      const seen = sessions[workflowId] ?? new WorkflowNotFoundError('not found', workflowId, undefined);
      if (seen instanceof Error) throw seen;
      const { status, firstRunId, podId } = seen;
      return {
        status: { name: status },
        raw: { workflowExecutionInfo: { firstRunId } },
        typedSearchAttributes: { get: () => podId },
      };
    },
  });
  return { workflow: { getHandle } } as unknown as Client;
}

const nameOf = (session: string, firstRunId = 'run') => ({
  ...{ owner: 'o', session, firstRunId },
  ...{ attempt: 1, hardDeadlineSeconds: 1 },
});

async function look(seen: Seen | Error | undefined, firstRunId = 'run'): Promise<SessionLook> {
  const client = temporalWith(seen ? { 'pod-session/s': seen } : {});
  return (await lookAtSessions(client)([nameOf('s', firstRunId)]))(nameOf('s', firstRunId));
}

describe('lookAtSessions', () => {
  it('tells which pod a running session has', async () => {
    const seen = { status: 'RUNNING', firstRunId: 'run', podId: 'p' };
    expect(await look(seen)).toEqual({ state: 'running', podId: 'p' });
  });

  it('takes the pod of an earlier session of that name for nobody’s', async () => {
    expect(await look({ status: 'RUNNING', firstRunId: 'later' })).toEqual({ state: 'gone' });
  });

  it.each(['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT'])('takes %s for gone', async (status) => {
    expect(await look({ status, firstRunId: 'run' })).toEqual({ state: 'gone' });
  });

  it('takes a session that Temporal does not know for gone', async () => {
    expect(await look(undefined)).toEqual({ state: 'gone' });
  });

  it.each([
    ['a status between two runs', { status: 'CONTINUED_AS_NEW', firstRunId: 'run' }],
    ['a server that does not tell the first run', { status: 'RUNNING' }],
    ['a server that is away', Object.assign(new Error('UNAVAILABLE'), { code: 14 })],
    ['a refusal', Object.assign(new Error('PERMISSION_DENIED'), { code: 7 })],
  ])('concludes nothing from %s', async (_what, seen) => {
    expect(await look(seen)).toEqual({ state: 'unknown' });
  });

  it('asks once for all pods of a session, and knows nothing of one that was not asked for', async () => {
    const asked: string[] = [];
    const sessions = { 'pod-session/a': { status: 'RUNNING', firstRunId: 'run' } };
    const session = await lookAtSessions(temporalWith(sessions, asked))([nameOf('a'), nameOf('a', 'x'), nameOf('b')]);
    expect(asked.sort()).toEqual(['pod-session/a', 'pod-session/b']);
    expect([session(nameOf('a')).state, session(nameOf('c')).state]).toEqual(['running', 'unknown']);
  });
});
