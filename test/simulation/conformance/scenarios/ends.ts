import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import { attempt, ending, idOf, start, until, untilHeard, type Scenario, type Side } from '../side.js';

const phase = defineSearchAttributeKey('DevloopPhase', 'KEYWORD');
const project = defineSearchAttributeKey('DevloopProject', 'KEYWORD');

const cancelled = (type: string): Scenario => ({
  name: `${type} is cancelled`,
  play: async (side) => {
    const handle = await start(side, type);
    await side.sleep(300);
    await handle.cancel();
    return ending(handle);
  },
});

/** Runs, and has begun to listen. */
async function listens(side: Side, id: string): Promise<WorkflowHandle> {
  const handle = await start(side, 'listener', { id });
  await untilHeard(side, handle, 'started');
  return handle;
}

/** Of an error whose message names ids. */
const kindOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no error',
    (error: unknown) => (error as Error).name,
  );

async function finished(handle: WorkflowHandle): Promise<unknown> {
  await handle.signal('finish');
  return ending(handle);
}

export const endScenarios: readonly Scenario[] = [
  ...['cleansUp', 'swallowsCancel', 'failsOnCancel', 'cancelIsARequest', 'throwsCancelled', 'waitsForFinish'].map(
    cancelled,
  ),
  {
    name: 'cancelled before the first task',
    play: async (side) => {
      const handle = await start(side, 'cleansUp', { quiet: true });
      await handle.cancel();
      const worker = await side.startWorker();
      const end = await ending(handle);
      await worker.stop();
      return end;
    },
  },
  {
    name: 'terminate',
    play: async (side) => {
      const one = await start(side, 'cleansUp');
      const two = await start(side, 'cleansUp', { id: 'two' });
      await side.sleep(200);
      await one.terminate('for a reason');
      await two.terminate();
      const gone = [await attempt(() => one.cancel().then(() => 'no answer')), await attempt(() => two.terminate())];
      return [await ending(one), await ending(two), gone];
    },
  },
  {
    name: 'ids are used again, or not',
    play: async (side) => {
      const first = await listens(side, 'one');
      const again = (options: object): Promise<unknown> =>
        attempt(async () => (await start(side, 'listener', { options })).workflowId === first.workflowId);
      const whileRunning = [
        await again({}),
        await again({ workflowIdConflictPolicy: 'USE_EXISTING' }),
        await again({ workflowIdReusePolicy: 'REJECT_DUPLICATE', workflowIdConflictPolicy: 'USE_EXISTING' }),
      ];
      await first.signal('word', 'only one run');
      const end = await finished(first);
      const afterwards = [
        await again({ workflowIdReusePolicy: 'REJECT_DUPLICATE', workflowIdConflictPolicy: 'USE_EXISTING' }),
        await again({ workflowIdReusePolicy: 'ALLOW_DUPLICATE', workflowIdConflictPolicy: 'USE_EXISTING' }),
      ];
      const second = await finished(side.client.workflow.getHandle(idOf(side)));
      const nobody = side.client.workflow.getHandle(idOf(side, 'nobody'));
      return [
        whileRunning,
        end,
        afterwards,
        second,
        await kindOf(nobody.describe()),
        await kindOf(nobody.signal('word', 'x')),
        await kindOf(nobody.cancel()),
      ];
    },
  },
  {
    name: 'attributes and memo',
    play: async (side) => {
      const typedSearchAttributes = new TypedSearchAttributes([
        { key: phase, value: 'creating' },
        { key: project, value: 'p' },
      ]);
      const options = { typedSearchAttributes, memo: { kept: 1, removed: 2 } };
      const handle = await start(side, 'attributes', { options });
      const see = async (): Promise<unknown> => {
        const { memo, typedSearchAttributes: shown } = await handle.describe();
        return { memo, phase: shown.get(phase), project: shown.get(project) ?? 'none' };
      };
      await until(side, 'the upsert', async () => {
        const { typedSearchAttributes: shown } = await handle.describe();
        return shown.get(phase) === 'ready';
      });
      const before = await see();
      await handle.signal('finish');
      return [before, await ending(side.client.workflow.getHandle(idOf(side)))];
    },
  },
  {
    name: 'external signals: the last act is lost, an awaited one is not',
    play: async (side) => {
      const target = await listens(side, 'target');
      const args = [target.workflowId];
      const lost = await ending(await start(side, 'signalsLast', { args }));
      const sent = await ending(await start(side, 'signalsAndWaits', { id: 'two', args }));
      await side.sleep(200);
      const heard = await finished(target);
      const toClosed = await ending(await start(side, 'signalsAndWaits', { id: 'three', args }));
      const toNobody = await ending(await start(side, 'signalsAndWaits', { id: 'four', args: [idOf(side, 'nobody')] }));
      return [lost, sent, heard, toClosed, toNobody];
    },
  },
  {
    name: 'cancelsOther',
    play: async (side) => {
      const target = await start(side, 'cleansUp', { id: 'target' });
      const args = [target.workflowId];
      await side.sleep(200);
      const asked = await ending(await start(side, 'cancelsOther', { args }));
      const ended = await ending(await start(side, 'cancelsOther', { id: 'two', args }));
      const nobody = await ending(await start(side, 'cancelsOther', { id: 'three', args: [idOf(side, 'nobody')] }));
      return [asked, await ending(target), ended, nobody];
    },
  },
  ...['ABANDON', 'TERMINATE', 'REQUEST_CANCEL'].map((policy) => ({
    name: `startsChild ${policy}`,
    play: async (side: Side) => {
      const childId = idOf(side, 'child');
      const parent = await ending(await start(side, 'startsChild', { args: [childId, policy] }));
      const child = side.client.workflow.getHandle(childId);
      if (policy === 'ABANDON') await child.signal('finish');
      return [parent, await ending(child)];
    },
  })),
  {
    name: 'childOutcomes',
    play: async (side) => ending(await start(side, 'childOutcomes', { args: [side.prefix] })),
  },
];
