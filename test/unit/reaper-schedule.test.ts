import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { ensureReaperSchedule } from '../../src/reaper-schedule.js';

/** A Temporal that has this schedule already, or none. */
function temporalWith(present: { state: object } | undefined) {
  const made: object[] = [];
  const client = {
    schedule: {
      create: async (options: { scheduleId: string }) => {
        if (present) throw new ScheduleAlreadyRunning('there', options.scheduleId);
        made.push(options);
      },
      getHandle: () => ({
        update: async (change: (previous: object) => object) => {
          made.push(change(present ?? {}));
        },
      }),
    },
  };
  return { client: client as unknown as Client, made };
}

/** The bound of a pod that nobody owns: a round every two minutes, never two at a time, none made up for later. */
const wanted = {
  spec: { intervals: [{ every: 120_000 }] },
  action: { type: 'startWorkflow', workflowType: 'PodReaper', workflowRunTimeout: '180 seconds' },
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '60 seconds' },
};

describe('the Schedule of the reaper', () => {
  it('is made by the worker', async () => {
    const { client, made } = temporalWith(undefined);
    await ensureReaperSchedule(client);
    expect(made).toMatchObject([{ scheduleId: 'devloop-reaper', ...wanted }]);
  });

  it('of another version is brought up to date, and one that was paused stays so', async () => {
    const state = { paused: true, note: 'by an operator' };
    const { client, made } = temporalWith({ state });
    await ensureReaperSchedule(client);
    expect(made).toMatchObject([{ ...wanted, state }]);
  });
});
