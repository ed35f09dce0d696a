import type { PayloadConverter } from '@temporalio/common';
import type { Kernel } from '../../kernel/kernel.js';
import type { WorkflowFunction } from '../runtime/instance.js';
import type { Network } from '../network.js';
import type { Chains } from './chains.js';
import type { ServerClock } from './server-clock.js';
import type { TaskQueues } from './task-queues.js';
import type { WorkflowTasks } from './workflow-tasks.js';

/** What the server's parts and the workers share. */
export interface Server {
  readonly kernel: Kernel;
  readonly clock: ServerClock;
  readonly network: Network;
  readonly queues: TaskQueues;
  readonly chains: Chains;
  readonly tasks: WorkflowTasks;
  readonly workflows: Readonly<Record<string, WorkflowFunction>>;
  /** Of the workers' workflows. */
  readonly payloads: PayloadConverter;
  readonly settings: ServerSettings;
  /** What must never happen; each fails the seed. */
  readonly findings: string[];
  readonly trouble: ServerTrouble;
  readonly onAttribute: (workflowId: string, name: string, value: unknown) => void;
}

/** What the server, or the workers' code, does wrong for a while. */
export interface ServerTrouble {
  /** How it answers when a run is to be described: as over its own rate limit, not at all, or as a replica that lags. */
  describing: 'answered' | 'refused' | 'silent' | 'unheard-of';
  /** Workflows whose tasks fail, as on a bad deploy. */
  readonly broken: Set<string>;
}

export interface ServerSettings {
  /** How much later than due a timer fires at most, by its length. A stock server takes up to a second for short ones. */
  readonly timerLatenessMs: (durationMs: number) => number;
  /** How often a worker has forgotten a run that it is asked to go on with. */
  readonly evictionProbability: number;
  /** Where it begins to ask a run to continue as new. */
  readonly continueAsNewEvents: number;
}
