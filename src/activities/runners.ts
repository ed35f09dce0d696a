import type { Runner } from '../contract/index.js';
import { finalFailure } from './failures.js';

export interface RunnerActivities {
  /**
   * Whether the operator lets jobs use this runner. Its outcome is in the job's history, so that a replay on a worker with
   * another list goes the same way. @throws RUNNER_NOT_ALLOWED
   */
  checkRunner: (runner: Runner) => Promise<void>;
}

/** @param allowedQueues of `DEVLOOP_RUNNER_QUEUES` */
export function createRunnerActivities(allowedQueues: readonly string[]): RunnerActivities {
  return {
    checkRunner({ taskQueue }) {
      if (allowedQueues.includes(taskQueue)) return Promise.resolve();
      const allowed = allowedQueues.length === 0 ? 'allows none' : `allows: ${allowedQueues.join(', ')}`;
      const wayOut = 'Add the queue to DEVLOOP_RUNNER_QUEUES of the workers, and restart them.';
      const message = `runner.taskQueue "${taskQueue}": the operator ${allowed}. ${wayOut}`;
      return Promise.reject(finalFailure('RUNNER_NOT_ALLOWED', message));
    },
  };
}
