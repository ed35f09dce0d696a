import type { Payload } from '@temporalio/common';
import { randomUuid, seededRandom, type Random } from '../../../../emulator/core/random.js';
import type { Fields } from '../runtime/commands.js';
import { job } from '../runtime/job.js';
import { tellAttributes } from './apply-command.js';
import { closeRun } from './close-run.js';
import { Run, type RunOptions } from './run.js';
import type { Server } from './server.js';
import type { ServerUpdate } from './server-update.js';

export interface StartRequest {
  readonly workflowId: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly args: readonly Payload[];
  readonly reusePolicy: 'ALLOW_DUPLICATE' | 'ALLOW_DUPLICATE_FAILED_ONLY' | 'REJECT_DUPLICATE';
  readonly conflictPolicy: 'FAIL' | 'USE_EXISTING' | 'TERMINATE_EXISTING';
  readonly attributes: Fields;
  readonly memo: Fields;
  readonly runTimeoutMs: number | undefined;
  readonly parent?: { readonly run: Run; readonly seq: number; readonly closePolicy: number };
}

/** How often, and by how much, signals come late or twice. */
export interface SignalTrouble {
  readonly lateProbability: number;
  readonly lateMs: number;
  readonly twiceProbability: number;
}

/** Ids of runs come from dice of their own. */
const RUN_ID_DICE = 0x1d;

/** Workflow ids with their runs, and everything that reaches a run from outside. */
export class Chains {
  private readonly runsById = new Map<string, Run[]>();
  private readonly dice: Random;
  trouble: SignalTrouble = { lateProbability: 0, lateMs: 0, twiceProbability: 0 };

  constructor(private readonly server: Server) {
    this.dice = seededRandom(server.kernel.seed ^ RUN_ID_DICE);
  }

  all(): Run[] {
    return [...this.runsById.values()].flat();
  }

  current(workflowId: string): Run | undefined {
    return this.runsById.get(workflowId)?.at(-1);
  }

  find(workflowId: string, runId?: string): Run | undefined {
    const runs = this.runsById.get(workflowId);
    return runId ? runs?.find((run) => run.runId === runId) : runs?.at(-1);
  }

  newRunId(): string {
    return randomUuid(this.dice);
  }

  newRun(options: RunOptions, parent?: Run): Run {
    const run = new Run(options, parent);
    const { args, attributes, memo } = options;
    run.pending.push(
      job('initializeWorkflow', {
        arguments: [...args],
        searchAttributes: { indexedFields: { ...attributes } },
        memo: { fields: { ...memo } },
      }),
    );
    return run;
  }

  /** The run becomes its id's current one and gets its first task. */
  append(run: Run): void {
    const { clock, tasks } = this.server;
    const runs = this.runsById.get(run.workflowId);
    if (runs) runs.push(run);
    else this.runsById.set(run.workflowId, [run]);
    const { runTimeoutMs } = run.info;
    if (runTimeoutMs !== undefined)
      run.onClose.push(
        clock.at(clock.nowMs + runTimeoutMs, () => {
          if (run.isRunning) closeRun(this.server, run, 'TIMED_OUT', {});
        }),
      );
    tasks.schedule(run);
  }

  /** @returns the run that was started, or the one that is used instead; `exists` when neither may be */
  start(request: StartRequest, onCreate: (run: Run) => void = () => undefined): Run | 'exists' {
    const { workflowId, parent } = request;
    const known = this.current(workflowId);
    if (known?.isRunning) {
      if (request.conflictPolicy === 'USE_EXISTING') return known;
      if (request.conflictPolicy === 'FAIL') return 'exists';
      closeRun(this.server, known, 'TERMINATED', { reason: 'TerminateIfRunning WorkflowIdReusePolicy Policy' });
    } else if (known && !mayBeUsedAgain(known, request.reusePolicy)) return 'exists';
    const runId = this.newRunId();
    const run = this.newRun(
      {
        workflowId,
        runId,
        firstRunId: runId,
        originalRunId: runId,
        continuedFromRunId: undefined,
        workflowType: request.workflowType,
        taskQueue: request.taskQueue,
        startedAtMs: this.server.clock.nowMs,
        parent: parent && { workflowId: parent.run.workflowId, runId: parent.run.runId },
        parentSeq: parent?.seq,
        parentClosePolicy: parent?.closePolicy,
        args: request.args,
        attributes: request.attributes,
        memo: request.memo,
        runTimeoutMs: request.runTimeoutMs,
      },
      parent?.run,
    );
    onCreate(run);
    this.append(run);
    tellAttributes(this.server, workflowId, request.attributes);
    return run;
  }

  signal(run: Run, signalName: string, input: Payload[]): void {
    this.server.tasks.addEvent(run, job('signalWorkflow', { signalName, input }));
  }

  /** As `signal`, on a bad day. What comes late finds the run that is there then, or nobody. */
  deliverSignal(run: Run, signalName: string, input: Payload[]): void {
    const { kernel, clock } = this.server;
    const { lateProbability, lateMs, twiceProbability } = this.trouble;
    const later = (): void => {
      clock.at(kernel.soon(0, lateMs), () => {
        const current = this.current(run.workflowId);
        if (current?.isRunning) this.signal(current, signalName, input);
      });
    };
    if (twiceProbability > 0 && kernel.chance(twiceProbability)) later();
    if (lateProbability > 0 && kernel.chance(lateProbability)) later();
    else this.signal(run, signalName, input);
  }

  update(run: Run, update: ServerUpdate): void {
    run.updates.push(update);
    this.server.tasks.schedule(run);
  }

  requestCancel(run: Run): void {
    if (run.cancelRequested) return;
    run.cancelRequested = true;
    this.server.tasks.addEvent(run, job('cancelWorkflow', {}));
  }

  terminate(run: Run, reason: string | undefined): void {
    closeRun(this.server, run, 'TERMINATED', { reason });
  }
}

function mayBeUsedAgain(run: Run, policy: StartRequest['reusePolicy']): boolean {
  if (policy === 'ALLOW_DUPLICATE') return true;
  return policy === 'ALLOW_DUPLICATE_FAILED_ONLY' && run.status !== 'COMPLETED';
}
