import type { ProtoFailure } from '@temporalio/common';
import { isClosing, readCommand, type Command, type ScheduleActivity } from './commands.js';
import type { coresdk } from '@temporalio/proto';
import { job, type Job } from './job.js';

/** `coresdk.workflow_commands.ActivityCancellationType`. */
const ACTIVITY: Readonly<Record<'tryCancel' | 'abandon', number>> = { tryCancel: 0, abandon: 2 };
/** `coresdk.child_workflow.ChildWorkflowCancellationType`. */
const CHILD: Readonly<Record<'tryCancel' | 'abandon', number>> = { abandon: 0, tryCancel: 1 };
/** `temporal.api.enums.v1.RetryState`. */
const RETRY_STATE_CANCEL_REQUESTED = 7;
const RETRY_STATE_NON_RETRYABLE_FAILURE = 2;

type Sent = 'in-this-task' | 'sent' | 'resolved';

/**
 * What the SDK's core keeps between a workflow and the server: which commands have gone out, so that what is taken back in
 * the same task never leaves, and a cancel that is not waited for is answered at once.
 */
export class Machines {
  private outgoing: (Command | undefined)[] = [];
  private local: Job[] = [];
  private readonly timers = new Map<number, Sent>();
  private readonly activities = new Map<number, { sent: Sent; readonly activity: ScheduleActivity }>();
  private readonly children = new Map<
    number,
    { sent: Sent; readonly child: coresdk.workflow_commands.IStartChildWorkflowExecution }
  >();
  private readonly signals = new Map<number, Sent>();

  /** @returns what the workflow hears of at once, within the same task */
  absorb(commands: readonly coresdk.workflow_commands.IWorkflowCommand[]): Job[] {
    this.local = [];
    for (const core of commands) {
      if (core.cancelSignalWorkflow) this.cancelSignal(core.cancelSignalWorkflow.seq!);
      const command = readCommand(core);
      if (command) this.take(command);
    }
    return this.local;
  }

  /** The task's commands. What ends the workflow goes last, and only the first such counts. */
  release(): Command[] {
    const commands = this.outgoing.filter((command) => command !== undefined);
    this.outgoing = [];
    for (const [seq, sent] of this.timers) if (sent === 'in-this-task') this.timers.set(seq, 'sent');
    for (const activity of this.activities.values()) if (activity.sent === 'in-this-task') activity.sent = 'sent';
    for (const child of this.children.values()) if (child.sent === 'in-this-task') child.sent = 'sent';
    for (const [seq, sent] of this.signals) if (sent === 'in-this-task') this.signals.set(seq, 'sent');
    const closing = commands.find(isClosing);
    return closing ? [...commands.filter((command) => !isClosing(command)), closing] : commands;
  }

  /** Whether the workflow still waits for it: what was answered at once is not answered again. */
  isAwaited(incoming: Job): boolean {
    switch (incoming.variant) {
      case 'resolveActivity': {
        const machine = this.activities.get(incoming.resolveActivity.seq!);
        if (!machine || machine.sent === 'resolved') return false;
        machine.sent = 'resolved';
        return true;
      }
      case 'fireTimer': {
        const seq = incoming.fireTimer.seq!;
        if (this.timers.get(seq) === 'resolved') return false;
        this.timers.set(seq, 'resolved');
        return true;
      }
      case 'resolveChildWorkflowExecution': {
        const machine = this.children.get(incoming.resolveChildWorkflowExecution.seq!);
        if (!machine || machine.sent === 'resolved') return false;
        machine.sent = 'resolved';
        return true;
      }
      case 'resolveChildWorkflowExecutionStart':
        return this.children.get(incoming.resolveChildWorkflowExecutionStart.seq!)?.sent !== 'resolved';
      default:
        return true;
    }
  }

  private take(command: Command): void {
    switch (command.kind) {
      case 'startTimer':
        this.timers.set(command.seq, 'in-this-task');
        break;
      case 'cancelTimer':
        if (!this.cancelTimer(command.seq)) return;
        break;
      case 'scheduleActivity':
        this.activities.set(command.seq, { sent: 'in-this-task', activity: command.activity });
        break;
      case 'cancelActivity':
        if (!this.cancelActivity(command.seq)) return;
        break;
      case 'startChild':
        this.children.set(command.seq, { sent: 'in-this-task', child: command.child });
        break;
      case 'cancelChild':
        if (!this.cancelChild(command.seq)) return;
        break;
      case 'signalExternal':
        this.signals.set(command.seq, 'in-this-task');
        break;
    }
    this.outgoing.push(command);
  }

  private withdraw(isIt: (command: Command) => boolean): void {
    const at = this.outgoing.findIndex((command) => command !== undefined && isIt(command));
    if (at >= 0) this.outgoing[at] = undefined;
  }

  /** @returns whether the server must hear of it */
  private cancelTimer(seq: number): boolean {
    const sent = this.timers.get(seq);
    this.timers.set(seq, 'resolved');
    if (sent === 'in-this-task') this.withdraw((command) => command.kind === 'startTimer' && command.seq === seq);
    return sent === 'sent';
  }

  private cancelActivity(seq: number): boolean {
    const machine = this.activities.get(seq);
    if (!machine || machine.sent === 'resolved') return false;
    const wasSent = machine.sent === 'sent';
    const type: number = machine.activity.cancellationType ?? ACTIVITY.tryCancel;
    if (!wasSent) this.withdraw((command) => command.kind === 'scheduleActivity' && command.seq === seq);
    if (!wasSent || type === ACTIVITY.tryCancel || type === ACTIVITY.abandon) {
      machine.sent = 'resolved';
      const failure = cancelledActivity(machine.activity.activityType!, machine.activity.activityId!);
      this.local.push(job('resolveActivity', { seq, result: { cancelled: { failure } } }));
    }
    return wasSent && type !== ACTIVITY.abandon;
  }

  private cancelChild(seq: number): boolean {
    const machine = this.children.get(seq);
    if (!machine || machine.sent === 'resolved') return false;
    const { child } = machine;
    if (machine.sent === 'in-this-task') {
      this.withdraw((command) => command.kind === 'startChild' && command.seq === seq);
      machine.sent = 'resolved';
      const failure = cancelledChild(
        child.workflowId!,
        child.workflowType!,
        'Child Workflow execution cancelled before scheduled',
      );
      this.local.push(job('resolveChildWorkflowExecutionStart', { seq, cancelled: { failure } }));
      return false;
    }
    const type: number = child.cancellationType ?? CHILD.abandon;
    if (type === CHILD.abandon || type === CHILD.tryCancel) {
      machine.sent = 'resolved';
      const failure = cancelledChild(child.workflowId!, child.workflowType!, 'Child Workflow execution cancelled');
      this.local.push(job('resolveChildWorkflowExecution', { seq, result: { cancelled: { failure } } }));
    }
    return type !== CHILD.abandon;
  }

  private cancelSignal(seq: number): void {
    if (this.signals.get(seq) !== 'in-this-task') return;
    this.signals.set(seq, 'resolved');
    this.withdraw((command) => command.kind === 'signalExternal' && command.seq === seq);
    const failure = { message: 'Signal was cancelled before being sent', canceledFailureInfo: {} };
    this.local.push(job('resolveSignalExternalWorkflow', { seq, failure }));
  }
}

export function cancelledActivity(activityType: string, activityId: string, details?: ProtoFailure): ProtoFailure {
  return {
    message: 'Activity cancelled',
    cause: details ?? { canceledFailureInfo: {} },
    activityFailureInfo: { activityType: { name: activityType }, activityId, retryState: RETRY_STATE_CANCEL_REQUESTED },
  };
}

export function cancelledChild(workflowId: string, workflowType: string, message: string): ProtoFailure {
  return {
    message,
    cause: { message, canceledFailureInfo: {} },
    childWorkflowExecutionFailureInfo: {
      workflowType: { name: workflowType },
      workflowExecution: { workflowId },
      retryState: RETRY_STATE_NON_RETRYABLE_FAILURE,
    },
  };
}
