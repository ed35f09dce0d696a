import { ending, idOf, start, until, untilHeard, type Scenario, type Side } from '../side.js';

/** Has told one word, and had its timer and its activity. */
async function staged(side: Side): Promise<void> {
  const handle = await start(side, 'stages');
  await handle.query('soFar');
  await handle.signal('word', 'one');
  await untilHeard(side, handle, 'timer');
  await untilHeard(side, handle, 'activity');
}

export const restartScenarios: readonly Scenario[] = [
  {
    name: 'worker restarted while a timer runs and signals come',
    play: async (side) => {
      const first = await side.startWorker();
      const handle = await start(side, 'stages', { quiet: true });
      await handle.signal('word', 'one');
      await until(side, 'a timer', async () => (await handle.describe()).historyLength > 7);
      await first.stop();
      await handle.signal('word', 'two');
      await side.sleep(300);
      const second = await side.startWorker();
      const end = await ending(handle);
      await second.stop();
      return end;
    },
  },
  {
    name: 'reset to the first task',
    play: async (side) => {
      await staged(side);
      await side.reset(idOf(side), 0);
      const handle = side.client.workflow.getHandle(idOf(side));
      await handle.signal('word', 'two');
      return ending(handle);
    },
  },
  {
    name: 'reset to where a timer and an activity were open',
    play: async (side) => {
      await staged(side);
      await side.reset(idOf(side), 2);
      const handle = side.client.workflow.getHandle(idOf(side));
      await handle.signal('word', 'two');
      return ending(handle);
    },
  },
  {
    name: 'reset after completion',
    play: async (side) => {
      await staged(side);
      const handle = side.client.workflow.getHandle(idOf(side));
      await handle.signal('word', 'two');
      const before = await ending(handle);
      await side.reset(idOf(side), 1);
      return [before, await ending(side.client.workflow.getHandle(idOf(side)))];
    },
  },
  {
    name: 'reset of a cancelled workflow',
    play: async (side) => {
      const handle = await start(side, 'swallowsCancel');
      // A cancel that comes before the first task is taken back by no reset.
      await until(side, 'its first task', async () => (await handle.describe()).historyLength >= 4);
      await handle.cancel();
      const before = await ending(handle);
      await side.reset(idOf(side), 0);
      await side.sleep(500);
      const again = side.client.workflow.getHandle(idOf(side));
      const { status } = await again.describe();
      if (status.name === 'RUNNING') await again.terminate('over');
      return [before, status.name];
    },
  },
];
