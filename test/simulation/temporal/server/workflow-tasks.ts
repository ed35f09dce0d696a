import { isClosing, signature } from '../runtime/commands.js';
import type { Job } from '../runtime/job.js';
import type { TaskOutcome } from '../worker/workflow-cache.js';
import type { SimWorker } from '../worker/sim-worker.js';
import { applyCommand } from './apply-command.js';
import type { OpenTask, RecordedTask, Run } from './run.js';
import type { Server } from './server.js';

const TASK_TIMEOUT_MS = 10_000;
/** How long a task waits for the worker that holds the run in memory. */
const STICKY_TIMEOUT_MS = 10_000;
const MAX_BACKOFF_MS = 600_000;
/** Scheduled, started, completed. */
const EVENTS_OF_A_TASK = 3;

/** Workflow tasks: scheduled when there is news, given to a worker, completed, refused, lost and tried again. */
export class WorkflowTasks {
  constructor(private readonly server: Server) {}

  /** @param order an activity's or a child's end comes after whatever else arrived while a task was open, as in histories */
  addEvent(run: Run, event: Job, order: 'as-it-comes' | 'last' = 'as-it-comes'): void {
    if (!run.isRunning) return;
    run.historyLength += 1;
    const buffered = run.task?.phase === 'started' && order === 'as-it-comes';
    const at = buffered ? run.pending.findIndex((other, index) => index >= run.task!.delivered && isEnd(other)) : -1;
    if (at >= 0) run.pending.splice(at, 0, event);
    else run.pending.push(event);
    this.schedule(run);
  }

  schedule(run: Run): void {
    const { clock } = this.server;
    if (!run.isRunning || run.task) return;
    if (run.firstTaskAtMs > clock.nowMs) {
      // Set once, so that all that comes before is told in the first task.
      const atMs = run.firstTaskAtMs;
      run.firstTaskAtMs = Infinity;
      if (atMs < Infinity)
        clock.at(atMs, () => {
          run.firstTaskAtMs = clock.nowMs;
          this.schedule(run);
        });
      return;
    }
    this.open(run);
  }

  complete(run: Run, task: OpenTask, worker: SimWorker, outcome: TaskOutcome): void {
    if (run.task !== task || !run.isRunning) {
      worker.cache.forget(run);
      return;
    }
    const hasNewUpdate = run.updates.some((update) => !update.accepted && !task.updates.includes(update));
    const isStale = run.pending.length > task.delivered || hasNewUpdate;
    const wouldClose = outcome.kind === 'done' && outcome.commands.some(isClosing);
    if (this.server.trouble.broken.has(run.workflowId)) this.fail(run, worker);
    else if (outcome.kind === 'failed') this.fail(run, worker, outcome.finding);
    else if (wouldClose && isStale) this.redo(run, worker);
    else this.accept(run, task, worker, outcome.commands);
    for (const act of run.onTaskEnd.splice(0)) act();
  }

  private open(run: Run): void {
    const task: OpenTask = {
      phase: 'scheduled',
      attempt: run.failedTasks + 1,
      input: undefined,
      delivered: 0,
      updates: [],
      cancelTimeout: () => undefined,
    };
    run.task = task;
    const { sticky } = run;
    if (!sticky || sticky.takesSticky === 'no-more') {
      run.sticky = undefined;
      this.offer(run, task);
      return;
    }
    const take = (): void => {
      if (run.task === task && task.phase === 'scheduled' && run.sticky === sticky) this.start(run, task, sticky);
    };
    this.server.clock.soon(() => {
      if (sticky.takesSticky === 'now') take();
      else sticky.onceBack(() => this.server.clock.soon(take));
    });
    task.cancelTimeout = this.server.clock.at(this.server.clock.nowMs + STICKY_TIMEOUT_MS, () => {
      if (run.task !== task || task.phase !== 'scheduled') return;
      run.sticky = undefined;
      this.offer(run, task);
    });
  }

  private offer(run: Run, task: OpenTask): void {
    this.server.queues.add(run.info.taskQueue, {
      kind: 'workflow',
      isStale: () => run.task !== task || task.phase !== 'scheduled' || !run.isRunning,
      offer: (worker) => {
        this.start(run, task, worker);
      },
    });
  }

  private start(run: Run, task: OpenTask, worker: SimWorker): void {
    const { clock } = this.server;
    task.cancelTimeout();
    task.phase = 'started';
    task.delivered = run.pending.length;
    task.updates = run.updates.filter((update) => !update.accepted);
    const historyLength = run.historyLength + 2;
    task.input = {
      atMs: Math.floor(clock.nowMs),
      jobs: [...run.pending, ...task.updates.map((update) => update.asJob(true))],
      historyLength,
      continueAsNewSuggested: historyLength >= this.server.settings.continueAsNewEvents,
    };
    task.cancelTimeout = clock.at(clock.nowMs + TASK_TIMEOUT_MS, () => {
      if (run.task !== task) return;
      run.sticky = undefined;
      this.close(run);
      this.schedule(run);
      for (const act of run.onTaskEnd.splice(0)) act();
    });
    worker.receiveWorkflowTask(run, task, task.input);
  }

  private accept(run: Run, task: OpenTask, worker: SimWorker, commands: readonly RecordedCommand[]): void {
    this.close(run);
    run.failedTasks = 0;
    run.sticky = worker;
    const delivered = run.pending.splice(0, task.delivered);
    run.historyLength += EVENTS_OF_A_TASK + commands.length;
    for (const command of commands) applyCommand(this.server, run, command);
    const accepted = task.updates.filter((update) => update.accepted);
    const isInHistory = (command: RecordedCommand): boolean =>
      command.kind !== 'rejectUpdate' || !task.updates.some(({ id, accepted }) => id === command.id && !accepted);
    const record: RecordedTask = {
      ...task.input!,
      jobs: [...delivered, ...accepted.map((update) => update.asJob(false))],
      signature: signature(commands.filter(isInHistory)),
      patches: commands.flatMap((command) => (command.kind === 'patch' ? [command.patchId] : [])),
      commands,
      completedAtMs: this.server.clock.nowMs,
      historyLengthAfter: run.historyLength,
      attributes: run.attributes,
      memo: run.memo,
    };
    run.history.push(record);
    worker.remember(run, record);
    if (run.pending.length > 0 || run.updates.some((update) => !update.accepted)) this.schedule(run);
  }

  /** News came while the workflow was about to end: everything that the task asked for is dropped with it. */
  private redo(run: Run, worker: SimWorker): void {
    worker.cache.forget(run);
    this.close(run);
    this.schedule(run);
  }

  /** @param finding nothing where it was to be expected */
  private fail(run: Run, worker: SimWorker, finding?: string): void {
    const { clock, findings } = this.server;
    worker.cache.forget(run);
    this.close(run);
    run.sticky = undefined;
    run.failedTasks += 1;
    if (run.failedTasks === 1 && finding !== undefined) findings.push(finding);
    const backoffMs = Math.min(1000 * 2 ** (run.failedTasks - 1), MAX_BACKOFF_MS);
    run.firstTaskAtMs = clock.nowMs + backoffMs;
    this.schedule(run);
  }

  private close(run: Run): void {
    run.task?.cancelTimeout();
    run.task = undefined;
  }
}

type RecordedCommand = Parameters<typeof applyCommand>[2];

function isEnd({ variant }: Job): boolean {
  return variant === 'resolveActivity' || variant === 'resolveChildWorkflowExecution';
}
