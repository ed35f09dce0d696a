import { QueryNotRegisteredError } from '@temporalio/client';
import { TypedSearchAttributes, type Payload, type PayloadConverter, type ProtoFailure } from '@temporalio/common';
import type { coresdk } from '@temporalio/proto';
import { setActivator } from '@temporalio/workflow/lib/global-attributes.js';
import { Activator } from '@temporalio/workflow/lib/internals.js';
import {
  activate,
  concludeActivation,
  initialize,
  tryUnblockConditions,
} from '@temporalio/workflow/lib/worker-interface.js';
import type { WorkflowInfo } from '@temporalio/workflow';
import { HASH_START, hashed } from '../../kernel/hash.js';
import type { Command } from './commands.js';
import { inSdkOrder, job, type Job } from './job.js';
import { Machines } from './machines.js';

export type WorkflowFunction = (...args: unknown[]) => Promise<unknown>;

/** One workflow task: what has happened since the task before, and the task's time. */
export interface TaskInput {
  readonly atMs: number;
  readonly jobs: readonly Job[];
  readonly historyLength: number;
  readonly continueAsNewSuggested: boolean;
  /** Undefined while the task is new. */
  readonly replay?: { readonly patches: readonly string[] } | undefined;
}

export interface InstanceInfo {
  readonly workflowId: string;
  readonly runId: string;
  readonly firstRunId: string;
  readonly originalRunId: string;
  readonly continuedFromRunId: string | undefined;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly startedAtMs: number;
  readonly parent: { readonly workflowId: string; readonly runId: string } | undefined;
}

/** `grpc.status.INVALID_ARGUMENT`: how the client hears of a query that nobody answers, or that fails. */
const INVALID_ARGUMENT = 3;

/** All of them: histories of this SDK's own version have every one set. */
const SDK_FLAGS = [1, 2, 3, 4, 5, 6];

/** Promises that workflow code rejects and nobody handles are told of after its microtasks. */
let lastActive: WorkflowInstance | undefined;

/** The activation that is under way in this process, whoever's it is. */
let atWork: Promise<unknown> = Promise.resolve();

function blameUntilSettled(instance: WorkflowInstance): void {
  if (!lastActive)
    setImmediate(() => {
      lastActive = undefined;
    });
  lastActive = instance;
}

process.on('unhandledRejection', (error) => {
  if (!lastActive) throw error;
  lastActive.unhandledRejection ??= error;
});

/**
 * A run's code in memory: the SDK's own workflow runtime, driven as its worker drives it, without the sandbox. It may be
 * thrown away at any time; its history makes it anew.
 */
export class WorkflowInstance {
  private readonly activator: Activator;
  private readonly machines = new Machines();
  /** How many tasks of the history it has seen. */
  tasks = 0;
  unhandledRejection: unknown;

  constructor(info: InstanceInfo, workflow: WorkflowFunction, payloads: PayloadConverter) {
    this.activator = new Activator({
      info: workflowInfo(info),
      now: info.startedAtMs,
      randomnessSeed: seedOf(info.originalRunId),
      registeredActivityNames: new Set(),
      stackTracesEnabled: false,
      failureExceptionTypeNames: [],
      showStackTraceSources: false,
      getTimeOfDay: () => 0n,
    } as unknown as ConstructorParameters<typeof Activator>[0]);
    this.activator.payloadConverter = payloads;
    this.activator.workflow = workflow;
  }

  /** @throws whatever fails the workflow task: errors that are no failures of Temporal's, and unhandled rejections */
  async perform(task: TaskInput): Promise<Command[]> {
    const { activator, machines } = this;
    activator.now = task.atMs;
    const isReplaying = task.replay !== undefined;
    activator.mutateWorkflowInfo((info) => ({
      ...info,
      historyLength: task.historyLength,
      continueAsNewSuggested: task.continueAsNewSuggested,
      unsafe: { ...info.unsafe, isReplaying, isReplayingHistoryEvents: isReplaying },
    }));
    activator.addKnownFlags(SDK_FLAGS);
    for (const patchId of task.replay?.patches ?? []) activator.notifyHasPatch({ patchId });
    let jobs = inSdkOrder(task.jobs).filter((incoming) => machines.isAwaited(incoming));
    while (jobs.length > 0 && !activator.completed) jobs = machines.absorb(await this.activate(jobs));
    this.tasks += 1;
    return machines.release();
  }

  /** Reads only: nothing of it is recorded. */
  async query(queryType: string, args: Payload[]): Promise<Payload> {
    const { activator } = this;
    activator.mutateWorkflowInfo((info) => ({ ...info, unsafe: { ...info.unsafe, isReplaying: true } }));
    const commands = await this.run(async () => {
      activate({ jobs: [job('queryWorkflow', { queryId: 'query', queryType, arguments: args })] });
      await microtasks();
    });
    const { succeeded, failed } = commands.find((command) => command.respondToQuery)!.respondToQuery!;
    if (failed) throw new QueryNotRegisteredError(failed.message ?? '', INVALID_ARGUMENT);
    return succeeded!.response!;
  }

  private activate(jobs: Job[]): Promise<CoreCommand[]> {
    return this.run(async () => {
      const { activator } = this;
      for (const { variant, ...rest } of jobs) {
        if (variant === 'initializeWorkflow' && 'initializeWorkflow' in rest) initialize(rest.initializeWorkflow);
        if (variant === 'updateRandomSeed' && 'updateRandomSeed' in rest)
          activator.updateRandomSeed(rest.updateRandomSeed);
      }
      activate({ jobs: jobs.filter(({ variant }) => variant !== 'updateRandomSeed') });
      await microtasks();
      while (tryUnblockConditions() > 0) await microtasks();
    });
  }

  /** One after the other: the SDK's runtime knows one workflow at a time, and what thaws a worker brings it several tasks. */
  private run(work: () => Promise<void>): Promise<CoreCommand[]> {
    const commands = atWork.then(() => this.runAlone(work));
    atWork = commands.catch(() => undefined);
    return commands;
  }

  private async runAlone(work: () => Promise<void>): Promise<CoreCommand[]> {
    setActivator(this.activator);
    try {
      await work();
      const { successful } = concludeActivation();
      this.activator.getAndResetSinkCalls();
      return successful!.commands!;
    } finally {
      setActivator(undefined);
      blameUntilSettled(this);
    }
  }
}

type CoreCommand = coresdk.workflow_commands.IWorkflowCommand;

/** Queued from a microtask, a tick comes after all other microtasks. Nothing else of the world runs in between. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

/** Four numbers out of a run id: what makes random numbers and ids of a workflow the same in every replay. */
export function seedOf(runId: string): number[] {
  let hash = HASH_START;
  return Array.from({ length: 4 }, () => {
    hash = hashed(runId, hash);
    return hash >>> 0;
  });
}

function workflowInfo(info: InstanceInfo): WorkflowInfo {
  const { workflowId, runId, workflowType, taskQueue, startedAtMs } = info;
  return {
    workflowId,
    runId,
    workflowType,
    taskQueue,
    firstExecutionRunId: info.firstRunId,
    originalExecutionRunId: info.originalRunId,
    continuedFromExecutionRunId: info.continuedFromRunId,
    searchAttributes: {},
    typedSearchAttributes: new TypedSearchAttributes(),
    parent: info.parent && { ...info.parent, namespace: 'default' },
    historyLength: 0,
    historySize: 0,
    continueAsNewSuggested: false,
    targetWorkerDeploymentVersionChanged: false,
    namespace: 'default',
    startTime: new Date(startedAtMs),
    runStartTime: new Date(startedAtMs),
    taskTimeoutMs: 10_000,
    attempt: 1,
    unsafe: {
      now: Date.now,
      isReplaying: false,
      isReplayingHistoryEvents: false,
      random: { random: Math.random, uuid4: () => '', fillRandom: (bytes) => bytes },
    },
  };
}

export type { ProtoFailure };
