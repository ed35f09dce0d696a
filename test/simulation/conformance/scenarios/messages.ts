import type { WorkflowHandle } from '@temporalio/client';
import { attempt, ending, idOf, start, until, untilHeard, type Scenario } from '../side.js';

const WORDS = ['a', 'b', 'c', 'd', 'e'];

const say = async (handle: WorkflowHandle, words: readonly string[]): Promise<void> => {
  for (const text of words) await handle.signal('word', text);
};

export const messageScenarios: readonly Scenario[] = [
  {
    name: 'conditions',
    play: async (side) => {
      const handle = await start(side, 'conditions');
      await untilHeard(side, handle, 'already: true');
      await say(handle, ['first']);
      await untilHeard(side, handle, 'word: true');
      await say(handle, ['second']);
      return ending(handle);
    },
  },
  {
    name: 'cancelledLater',
    play: async (side) => {
      const handle = await start(side, 'cancelledLater');
      await side.sleep(200);
      await say(handle, ['cancel']);
      return ending(handle);
    },
  },
  {
    name: 'signals in order, before and after the first task',
    play: async (side) => {
      const handle = await start(side, 'listener', { quiet: true });
      await say(handle, ['before', 'any', 'task']);
      const worker = await side.startWorker();
      await until(side, 'the first task', async () => (await handle.query<string[]>('soFar')).length > 3);
      await say(handle, WORDS);
      await handle.signal('finish');
      const end = await ending(handle);
      await worker.stop();
      return end;
    },
  },
  {
    name: 'lateHandler',
    play: async (side) => {
      const handle = await start(side, 'lateHandler');
      await say(handle, ['x', 'y']);
      return ending(handle);
    },
  },
  {
    name: 'signal without a handler',
    play: async (side) => {
      const handle = await start(side, 'waitsForFinish');
      await handle.signal('unknown', 1);
      await handle.signal('finish');
      return [await ending(handle), await attempt(() => handle.signal('finish'))];
    },
  },
  {
    name: 'signalWithStart',
    play: async (side) => {
      const again = (text: string): Promise<WorkflowHandle> =>
        side.client.workflow.signalWithStart('listener', {
          workflowId: idOf(side),
          taskQueue: side.taskQueue,
          args: [],
          signal: 'word',
          signalArgs: [text],
        });
      await untilHeard(side, await again('first'), 'started');
      const handle = await again('second');
      await handle.signal('finish');
      const end = await ending(handle);
      const anew = await again('after the end');
      await anew.signal('finish');
      return [end, await ending(anew)];
    },
  },
  {
    name: 'asyncHandlers',
    play: async (side) => {
      const handle = await start(side, 'asyncHandlers');
      await say(handle, ['a', 'b', 'c']);
      return ending(handle);
    },
  },
  {
    name: 'failingHandler',
    play: async (side) => {
      const handle = await start(side, 'failingHandler');
      await say(handle, ['thanks']);
      return ending(handle);
    },
  },
  {
    name: 'no signal is lost when a workflow completes',
    play: async (side) => {
      const handle = await start(side, 'countUntilEnd');
      let taken = 0;
      for (let turn = 0; turn < 60; turn++) {
        const { error } = { error: undefined, ...(await attempt(() => handle.signal('word', 'x'))) };
        if (error !== undefined) break;
        taken += 1;
        await side.sleep(5);
      }
      return (await handle.result()) === taken;
    },
  },
  {
    name: 'countOverRuns',
    play: async (side) => {
      const first = await start(side, 'countOverRuns');
      const current = side.client.workflow.getHandle(first.workflowId);
      let { runId } = await current.describe();
      for (const words of [
        ['a', 'b'],
        ['c', 'd', 'e'],
      ]) {
        await say(current, words);
        const before = runId;
        await until(side, 'the next run', async () => (runId = (await current.describe()).runId) !== before);
      }
      await current.signal('finish');
      return ending(current);
    },
  },
  {
    name: 'queries',
    play: async (side) => {
      const handle = await start(side, 'listener');
      await untilHeard(side, handle, 'started');
      await say(handle, ['x']);
      await untilHeard(side, handle, 'x');
      const unknown = await handle.query('nothing like it').catch((error: unknown) => (error as Error).name);
      await handle.signal('finish');
      await handle.result();
      return [unknown, await handle.query('soFar')];
    },
  },
  {
    name: 'updates',
    play: async (side) => {
      const handle = await start(side, 'updatable');
      const update = (text: string): Promise<unknown> =>
        attempt(() => handle.executeUpdate('change', { args: [text] }));
      const answers = [];
      for (const text of ['quick', '', 'plain', 'slow', 'fail']) answers.push(await update(text));
      answers.push(await attempt(() => handle.executeUpdate('no such update')));
      const unanswered = update('forever');
      await untilHeard(side, handle, 'begin forever');
      await handle.signal('finish');
      return [answers, await ending(handle), await unanswered, await update('too late')];
    },
  },
  {
    name: 'update before the first task',
    play: async (side) => {
      const handle = await start(side, 'updatable', { quiet: true });
      const answer = attempt(() => handle.executeUpdate('change', { args: ['early'] }));
      const worker = await side.startWorker();
      const answered = await answer;
      await handle.signal('finish');
      const end = await ending(handle);
      await worker.stop();
      return [answered, end];
    },
  },
];
