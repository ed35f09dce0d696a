import type { Payload, ProtoFailure } from '@temporalio/common';
import type { Cancel } from '../../kernel/kernel.js';
import type { Command, Fields } from '../runtime/commands.js';
import type { InstanceInfo, TaskInput } from '../runtime/instance.js';
import type { Job } from '../runtime/job.js';
import type { SimWorker } from '../worker/sim-worker.js';
import type { PendingActivity } from './pending-activity.js';
import type { ServerUpdate } from './server-update.js';

export type RunStatus =
  'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TERMINATED' | 'TIMED_OUT' | 'CONTINUED_AS_NEW';

/** A workflow task that was completed: what a replay is fed and held to. */
export interface RecordedTask extends TaskInput {
  readonly signature: string;
  readonly patches: readonly string[];
  /** What a reset to this point sets up again. */
  readonly commands: readonly Command[];
  readonly completedAtMs: number;
  readonly historyLengthAfter: number;
  readonly attributes: Fields;
  readonly memo: Fields;
}

export interface OpenTask {
  phase: 'scheduled' | 'started';
  readonly attempt: number;
  input: TaskInput | undefined;
  /** How many of the pending events it was told of; what comes later makes it void if it would close the run. */
  delivered: number;
  updates: readonly ServerUpdate[];
  cancelTimeout: Cancel;
}

export interface RunOptions extends InstanceInfo {
  readonly args: readonly Payload[];
  readonly attributes: Fields;
  readonly memo: Fields;
  readonly runTimeoutMs: number | undefined;
  readonly parentSeq?: number | undefined;
  readonly parentClosePolicy?: number | undefined;
}

export interface RunOutcome {
  readonly result?: Payload | undefined;
  readonly failure?: ProtoFailure | undefined;
  readonly reason?: string | undefined;
}

/** One run as the server knows it. */
export class Run {
  status: RunStatus = 'RUNNING';
  closedAtMs: number | undefined;
  outcome: RunOutcome = {};
  next: Run | undefined;

  readonly history: RecordedTask[] = [];
  /** Events that no completed task has seen. */
  readonly pending: Job[] = [];
  /** What a client awaits; here until it is answered. */
  updates: ServerUpdate[] = [];
  historyLength = 1;
  task: OpenTask | undefined;
  failedTasks = 0;
  /** The worker that holds the run in memory and is asked first. */
  sticky: SimWorker | undefined;
  firstTaskAtMs: number;

  attributes: Fields;
  memo: Fields;
  cancelRequested = false;
  readonly timers = new Map<number, Cancel>();
  readonly activities = new Map<number, PendingActivity>();
  readonly children = new Map<number, Run>();
  readonly onClose: (() => void)[] = [];
  readonly onTaskEnd: (() => void)[] = [];

  constructor(
    readonly info: RunOptions,
    readonly parent?: Run,
  ) {
    this.attributes = info.attributes;
    this.memo = info.memo;
    this.firstTaskAtMs = info.startedAtMs;
  }

  get workflowId(): string {
    return this.info.workflowId;
  }

  get runId(): string {
    return this.info.runId;
  }

  get isRunning(): boolean {
    return this.status === 'RUNNING';
  }
}
