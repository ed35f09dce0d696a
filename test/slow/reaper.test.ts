import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SweepReport } from '../../src/contract/index.js';
import { REAPER_SCHEDULE_ID, sessionWorkflowId } from '../../src/contract/index.js';
import { LiveStack } from '../support/live-stack.js';
import { waitUntil } from '../support/processes.js';

let live: LiveStack;

beforeAll(async () => {
  live = await LiveStack.start();
});

afterAll(async () => {
  await live.stop();
});

/** What the finished rounds of the reaper say that they ended. */
async function endedBySweeps(client: Client): Promise<{ session: string | undefined; verdict: string }[]> {
  const query = 'WorkflowType = "PodReaper"';
  let reports: SweepReport[] = [];
  await waitUntil(
    async () => {
      reports = [];
      for await (const { workflowId, runId } of client.workflow.list({ query })) {
        reports.push((await client.workflow.getHandle(workflowId, runId).result()) as SweepReport);
      }
      return reports.some(({ ended }) => ended.length > 0);
    },
    { what: 'a round reports what it ended' },
  );
  return reports.flatMap(({ ended }) => ended.map(({ session, verdict }) => ({ session, verdict })));
}

describe('the reaper on its Schedule', () => {
  it("ends the pod of a session that was terminated, after two sweeps, and nobody else's", async () => {
    const client = new Client({ connection: live.connection, namespace: live.stack.info.namespace });
    for (const session of ['lost', 'kept'])
      await live.client.startSession({ session, idleTimeoutSeconds: 480, startedBy: 'test' });
    await waitUntil(
      async () => {
        const phases = await Promise.all(['lost', 'kept'].map((name) => live.client.session(name).status()));
        return phases.every(({ phase }) => phase === 'ready');
      },
      { what: 'both sessions are ready' },
    );
    await client.workflow.getHandle(sessionWorkflowId('lost')).terminate('to leave its pod behind');
    await client.schedule.getHandle(REAPER_SCHEDULE_ID).trigger();
    await waitUntil(async () => (await live.podsOf('lost')).every(({ terminatedAt }) => terminatedAt !== null), {
      // A round takes more than a minute; one that is under way when it is asked for stands in for it.
      timeoutMs: 300_000,
      what: 'the lost pod is gone',
    });
    expect(await endedBySweeps(client)).toEqual([{ session: 'lost', verdict: 'orphan' }]);
    expect((await live.podsOf('kept')).map(({ terminatedAt }) => terminatedAt)).toEqual([null]);
    await live.client.session('kept').stop('the test is over');
    await live.client.session('kept').result();
  });
});
