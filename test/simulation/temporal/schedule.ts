import { toPayloads } from './runtime/payloads.js';
import type { Server } from './server/server.js';

/** As the reaper's Schedule has it: a start whose predecessor still runs is skipped, one that is too late is too. */
export interface ScheduleOptions {
  readonly scheduleId: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly args?: readonly unknown[];
  readonly everyMs: number;
  /** Of its turns, from the epoch's. */
  readonly offsetMs?: number;
  readonly catchUpMs: number;
  readonly runTimeoutMs?: number;
}

export function runSchedule(server: Server, options: ScheduleOptions): void {
  const { clock, chains } = server;
  const { everyMs, scheduleId, offsetMs = 0 } = options;
  let lastWorkflowId: string | undefined;
  const planNext = (): void => {
    const dueAtMs = (Math.floor((clock.nowMs - offsetMs) / everyMs) + 1) * everyMs + offsetMs;
    clock.at(dueAtMs, () => {
      planNext();
      const isRunning = lastWorkflowId !== undefined && chains.current(lastWorkflowId)?.isRunning === true;
      if (isRunning || clock.nowMs - dueAtMs > options.catchUpMs) return;
      lastWorkflowId = `${scheduleId}-${new Date(dueAtMs).toISOString()}`;
      chains.start({
        workflowId: lastWorkflowId,
        workflowType: options.workflowType,
        taskQueue: options.taskQueue,
        args: toPayloads(options.args ?? []),
        reusePolicy: 'ALLOW_DUPLICATE',
        conflictPolicy: 'FAIL',
        attributes: {},
        memo: {},
        runTimeoutMs: options.runTimeoutMs,
      });
    });
  };
  planNext();
}
