import { ApplicationFailure, cancellationSignal, heartbeat } from '@temporalio/activity';
import type { RunnerInput } from '../../../src/contract/index.js';
import { EncodedElsewhere } from '../temporal/runtime/payloads.js';
import { jobRequest, secondsOf, tokenOf } from './agent-run.js';
import type { Link, Network } from './network.js';

export const RUNNER_QUEUE = 'reviews';
/** The operator allows it, and no worker serves it. */
const ABSENT_QUEUE = 'nobodys';
export const ALLOWED_QUEUES = [RUNNER_QUEUE, ABSENT_QUEUE];
const RUNNER_ACTIVITY = 'devloopRunnerThink';
const DEAF_ACTIVITY = 'devloopRunnerDeaf';
const GARBLED_ACTIVITY = 'devloopRunnerGarbled';

/** What a job names, by what becomes of it. */
export const RUNNERS = {
  served: { taskQueue: RUNNER_QUEUE, activity: RUNNER_ACTIVITY },
  absent: { taskQueue: ABSENT_QUEUE, activity: RUNNER_ACTIVITY },
  deaf: { taskQueue: RUNNER_QUEUE, activity: DEAF_ACTIVITY },
  garbled: { taskQueue: RUNNER_QUEUE, activity: GARBLED_ACTIVITY },
  forbidden: { taskQueue: 'strangers', activity: RUNNER_ACTIVITY },
} as const;
const BEAT_EVERY_MS = 5_000;

/** What another project's worker runs: one question to the pod's model, as docs/runners.md asks of runners. */
export function runnerActivities(network: Network, link: Link) {
  return {
    /** Asks the model nothing and hears nobody. */
    async [DEAF_ACTIVITY]({ input }: RunnerInput): Promise<string> {
      await beatingWhile(link, () => link.process.sleep(secondsOf(input) * 1000));
      return 'done';
    },
    async [GARBLED_ACTIVITY]({ lease, input }: RunnerInput): Promise<EncodedElsewhere> {
      await beatingWhile(link, () => think(network, link, { lease, input }));
      const bytes = new TextEncoder();
      return new EncodedElsewhere({
        metadata: { encoding: bytes.encode('binary/encrypted') },
        data: bytes.encode('nobody else can read this'),
      });
    },
    async [RUNNER_ACTIVITY]({ lease, input }: RunnerInput): Promise<string> {
      return beatingWhile(link, () => think(network, link, { lease, input }));
    },
  };
}

async function beatingWhile<T>(link: Link, work: () => Promise<T>): Promise<T> {
  const done = new AbortController();
  void beating(link, done.signal);
  try {
    return await work();
  } finally {
    done.abort();
  }
}

async function beating({ process }: Link, done: AbortSignal): Promise<void> {
  while (!done.aborted) {
    heartbeat();
    await process.sleep(BEAT_EVERY_MS, done).catch(() => undefined);
  }
}

async function think(
  network: Network,
  link: Link,
  { lease, input }: Pick<RunnerInput, 'lease' | 'input'>,
): Promise<string> {
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
