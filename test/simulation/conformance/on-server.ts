import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { systemSleep } from '../../../src/runpod/index.js';
import { createActivities } from './activities.js';
import type { Scenario, Side } from './side.js';
import { shown } from './trace.js';

const TASK_QUEUE = 'conformance';
/** Played at the same time: enough to be quick, few enough for two cores. */
const AT_ONCE = 12;
const MAX_MS = 60_000;

/** Plays the scenarios on a real server, with one worker for all that bring none of their own. */
export async function playOnServer(
  env: TestWorkflowEnvironment,
  workflowBundle: WorkflowBundleWithSourceMap,
  scenarios: readonly Scenario[],
): Promise<Map<string, unknown>> {
  const runWorker = async (taskQueue: string): Promise<() => Promise<void>> => {
    const worker = await Worker.create({
      connection: env.nativeConnection,
      namespace: env.namespace,
      taskQueue,
      workflowBundle,
      activities: createActivities(systemSleep),
      maxHeartbeatThrottleInterval: '2 seconds',
      shutdownForceTime: '10 seconds',
    });
    const running = worker.run();
    return async () => {
      worker.shutdown();
      await running;
    };
  };
  const stop = await runWorker(TASK_QUEUE);
  const outcomes = new Map<string, unknown>();
  const waiting = [...scenarios];
  const playAll = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      outcomes.set(
        next.name,
        await Promise.race([next.play(sideOf(env, runWorker)), systemSleep(MAX_MS).then(() => 'never ended')]).catch(
          (error: unknown) => ({ scenarioFailed: shown(error) }),
        ),
      );
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, playAll));
  } finally {
    await stop();
  }
  return outcomes;
}

function sideOf(env: TestWorkflowEnvironment, runWorker: (taskQueue: string) => Promise<() => Promise<void>>): Side {
  const prefix = randomUUID();
  const quietQueue = `quiet-${prefix}`;
  return {
    client: env.client,
    taskQueue: TASK_QUEUE,
    quietQueue,
    prefix,
    sleep: (ms) => systemSleep(ms),
    startWorker: async () => ({ stop: await runWorker(quietQueue) }),
    reset: (workflowId, task) => reset(env, workflowId, task),
  };
}

async function reset(env: TestWorkflowEnvironment, workflowId: string, task: number): Promise<void> {
  const { events } = await env.client.workflow.getHandle(workflowId).fetchHistory();
  const completed = (events ?? []).filter(({ workflowTaskCompletedEventAttributes: done }) => done);
  await env.client.workflowService.resetWorkflowExecution({
    namespace: env.namespace ?? 'default',
    workflowExecution: { workflowId },
    reason: 'reset',
    workflowTaskFinishEventId: completed[task]!.eventId!,
    requestId: randomUUID(),
  });
}
