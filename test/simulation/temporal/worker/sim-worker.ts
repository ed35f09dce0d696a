import type { Kernel } from '../../kernel/kernel.js';
import { SimProcess } from '../../kernel/process.js';
import type { Payload } from '@temporalio/common';
import type { TaskInput } from '../runtime/instance.js';
import type { OpenTask, RecordedTask, Run } from '../server/run.js';
import type { Server } from '../server/server.js';
import { ActivityAttempt, type ActivityFunction, type AttemptTask } from './activity-attempt.js';
import { WorkflowCache } from './workflow-cache.js';

export interface WorkerQueue {
  readonly taskQueue: string;
  readonly activities: object;
  readonly slots: number;
  readonly runsWorkflows: boolean;
}

/** Polls that are open when a process freezes or loses its way to the server still take a task each, for this long. */
const OPEN_POLLS_FOR_MS = 60_000;
const MAX_OPEN_POLLS = 3;

interface Polling extends WorkerQueue {
  busy: number;
  /** Of a process that cannot answer. */
  openPolls: number;
}

/** A worker process: polls task queues, runs workflows and activities, and can be killed, frozen and cut off. */
export class SimWorker {
  readonly process: SimProcess;
  readonly cache: WorkflowCache;
  private readonly polling: Map<string, Polling>;
  private isCut = false;
  private losesHeartbeats = false;
  private unavailableSinceMs: number | undefined;
  private whenBack: (() => void)[] = [];

  constructor(
    private readonly server: Server,
    readonly name: string,
    queues: readonly WorkerQueue[],
    process?: SimProcess,
  ) {
    this.process = process ?? new SimProcess(server.kernel, name);
    this.cache = new WorkflowCache(server);
    this.polling = new Map(queues.map((queue) => [queue.taskQueue, { ...queue, busy: 0, openPolls: 0 }]));
  }

  get kernel(): Kernel {
    return this.server.kernel;
  }

  get heartbeatsArrive(): boolean {
    return !this.losesHeartbeats && this.process.isRunning && this.server.network.reaches(this.process);
  }

  kill(): void {
    this.process.kill();
    this.unavailableSinceMs ??= this.kernel.nowMs;
    this.server.queues.removeWorker(this);
  }

  freeze(): void {
    if (!this.process.isRunning) return;
    this.process.freeze();
    this.becomeUnavailable();
  }

  thaw(): void {
    this.process.thaw();
    this.comeBack();
  }

  cutFromTemporal(isCut: boolean): void {
    this.isCut = isCut;
    this.server.network.setCut(this.process, isCut);
    if (isCut) this.becomeUnavailable();
    else this.comeBack();
  }

  loseHeartbeats(lose: boolean): void {
    this.losesHeartbeats = lose;
  }

  polls(taskQueue: string, kind: 'workflow' | 'activity'): boolean {
    const polling = this.polling.get(taskQueue);
    if (!polling || this.process.isDead) return false;
    if (kind === 'workflow' ? !polling.runsWorkflows : polling.busy >= polling.slots) return false;
    return this.isAvailable || (polling.openPolls > 0 && this.stillHasOpenPolls);
  }

  /** A task is handed out. */
  takePoll(taskQueue: string): void {
    const polling = this.polling.get(taskQueue)!;
    if (!this.isAvailable) polling.openPolls -= 1;
  }

  /** The server asks it first for runs that it holds in memory. */
  get takesSticky(): 'now' | 'not-now' | 'no-more' {
    if (this.isAvailable) return 'now';
    return this.process.isDead || !this.stillHasOpenPolls ? 'no-more' : 'not-now';
  }

  onceBack(act: () => void): void {
    this.whenBack.push(act);
  }

  receiveActivity(task: AttemptTask): void {
    if (this.isCut) return;
    this.process.deliver(() => {
      const polling = this.polling.get(task.taskQueue)!;
      polling.busy += 1;
      void this.runActivity(task, polling);
    });
  }

  receiveWorkflowTask(run: Run, task: OpenTask, input: TaskInput): void {
    if (this.isCut) return;
    this.process.deliver(() => {
      // A task that a thawed process finds is no longer its own; all it does then is forget the run.
      if (run.task === task) void this.runWorkflowTask(run, task, input);
      else this.cache.forget(run);
    });
  }

  async answerQuery(run: Run, queryType: string, args: Payload[]): Promise<Payload> {
    return this.cache.query(run, queryType, args);
  }

  remember(run: Run, record: RecordedTask): void {
    this.cache.confirm(run, record);
  }

  private async runWorkflowTask(run: Run, task: OpenTask, input: TaskInput): Promise<void> {
    const outcome = await this.cache.perform(run, input);
    this.server.network.send(this.process, () => {
      this.server.tasks.complete(run, task, this, outcome());
    });
  }

  private async runActivity(task: AttemptTask, polling: Polling): Promise<void> {
    const activities = polling.activities as Readonly<Record<string, ActivityFunction>>;
    const attempt = new ActivityAttempt(this, task);
    const outcome = await attempt.run(activities[task.activityType]);
    if (this.process.isDead) return;
    polling.busy -= 1;
    if (outcome)
      this.server.network.send(this.process, () => {
        task.activity.report(task.token, outcome);
      });
    this.server.queues.pump(task.taskQueue);
  }

  private get isAvailable(): boolean {
    return this.process.isRunning && !this.isCut;
  }

  private get stillHasOpenPolls(): boolean {
    return this.kernel.nowMs - (this.unavailableSinceMs ?? this.kernel.nowMs) < OPEN_POLLS_FOR_MS;
  }

  private becomeUnavailable(): void {
    this.unavailableSinceMs ??= this.kernel.nowMs;
    for (const polling of this.polling.values()) polling.openPolls = this.kernel.integer(0, MAX_OPEN_POLLS + 1);
  }

  private comeBack(): void {
    if (!this.isAvailable) return;
    this.unavailableSinceMs = undefined;
    for (const act of this.whenBack.splice(0)) act();
    this.server.queues.pumpAll();
  }
}
