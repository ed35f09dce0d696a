import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import { REAPER_SCHEDULE_ID, TASK_QUEUES, WORKFLOW_TYPES } from './contract/index.js';

/** The bound of a pod that is nobody's depends on it. */
export const REAPER_EVERY_MS = 120_000;

const OPTIONS = {
  scheduleId: REAPER_SCHEDULE_ID,
  spec: { intervals: [{ every: REAPER_EVERY_MS }] },
  action: {
    type: 'startWorkflow',
    workflowType: WORKFLOW_TYPES.podReaper,
    workflowId: REAPER_SCHEDULE_ID,
    taskQueue: TASK_QUEUES.control,
    args: [],
    // Two sweeps and the time between them.
    workflowRunTimeout: '180 seconds',
  },
  // A sweep that is late is of no use to anybody: the next one sees the same list.
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '60 seconds' },
} satisfies ScheduleOptions;

/** The reaper's Schedule as this version wants it. One that an operator has paused stays paused. */
export async function ensureReaperSchedule(client: Client): Promise<void> {
  try {
    await client.schedule.create(OPTIONS);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, action, policies } = OPTIONS;
    await client.schedule.getHandle(REAPER_SCHEDULE_ID).update(({ state }) => ({ spec, action, policies, state }));
  }
}
