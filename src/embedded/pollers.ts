import { Connection } from '@temporalio/client';
import { TASK_QUEUES } from '../contract/index.js';
import { NAMESPACE } from './child-environment.js';

/** temporal.api.enums.v1.TaskQueueType */
const WORKFLOW = 1;
const ACTIVITY = 2;

/** What a worker polls: on the first queue workflows and activities, on the others activities. */
const POLLED = [
  { name: TASK_QUEUES.control, taskQueueType: WORKFLOW },
  { name: TASK_QUEUES.control, taskQueueType: ACTIVITY },
  { name: TASK_QUEUES.poll, taskQueueType: ACTIVITY },
  { name: TASK_QUEUES.agents, taskQueueType: ACTIVITY },
] as const;

/** Task queues that nobody polls; empty when a whole worker is there. */
export async function missingPollers(connection: Connection, namespace = NAMESPACE): Promise<string[]> {
  const described = await Promise.all(
    POLLED.map(async ({ name, taskQueueType }) => {
      const answer = await connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name },
        taskQueueType,
      });
      return { name, polled: answer.pollers.length > 0 };
    }),
  );
  return [...new Set(described.filter(({ polled }) => !polled).map(({ name }) => name))];
}

/** A connection to the stack's own server, which is on this machine: it answers at once or not at all. */
export async function connectLocally(address: string, timeoutMs: number): Promise<Connection> {
  // The SDK's own retries go on after close and then throw where nobody can catch it.
  return Connection.connect({ address, connectTimeout: timeoutMs, interceptors: [] });
}
