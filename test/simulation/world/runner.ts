import { ApplicationFailure, cancellationSignal, heartbeat } from '@temporalio/activity';
import type { RunnerInput } from '../../../src/contract/index.js';
import { jobRequest, tokenOf } from './agent-run.js';
import type { Link, Network } from './network.js';

export const RUNNER_QUEUE = 'reviews';
/** The operator allows it, and no worker serves it. */
const ABSENT_QUEUE = 'nobodys';
export const ALLOWED_QUEUES = [RUNNER_QUEUE, ABSENT_QUEUE];
const RUNNER_ACTIVITY = 'devloopRunnerThink';

/** What a job names, by what becomes of it. */
export const RUNNERS = {
  served: { taskQueue: RUNNER_QUEUE, activity: RUNNER_ACTIVITY },
  absent: { taskQueue: ABSENT_QUEUE, activity: RUNNER_ACTIVITY },
  forbidden: { taskQueue: 'strangers', activity: RUNNER_ACTIVITY },
} as const;
const BEAT_EVERY_MS = 5_000;

/** What another project's worker runs: one question to the pod's model, as docs/runners.md asks of runners. */
export function runnerActivities(network: Network, link: Link) {
  return {
    async [RUNNER_ACTIVITY]({ lease, input }: RunnerInput): Promise<string> {
      const done = new AbortController();
      void beating(link, done.signal);
      try {
        return await think(network, link, { lease, input });
      } finally {
        done.abort();
      }
    },
  };
}

async function beating({ process }: Link, done: AbortSignal): Promise<void> {
  while (!done.aborted) {
    heartbeat();
    await process.sleep(BEAT_EVERY_MS, done).catch(() => undefined);
  }
}

async function think(network: Network, link: Link, { lease, input }: RunnerInput): Promise<string> {
  const signal = cancellationSignal();
  const request = jobRequest(lease.endpoint, tokenOf(lease.podName), input);
  const { status } = await network.call(link, 'gates', request, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw ApplicationFailure.retryable(`no connection to the pod: ${String(error)}`, 'POD_LOST');
  });
  if (status === 404 || status === 502) throw ApplicationFailure.retryable(`the pod answered ${status}`, 'POD_LOST');
  if (status === 401) throw ApplicationFailure.nonRetryable('the gate refused the token');
  if (status >= 300) throw new Error(`the model server answered ${status}`);
  return 'done';
}
