import type { Payload, ProtoFailure } from '@temporalio/common';
import type { coresdk } from '@temporalio/proto';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { payloadText } from './payloads.js';

type Core = coresdk.workflow_commands.IWorkflowCommand;
type Attributes<K extends keyof Core> = NonNullable<Core[K]>;
export type ScheduleActivity = Attributes<'scheduleActivity'>;
export type StartChild = Attributes<'startChildWorkflowExecution'>;
export type ContinueAsNewCommand = Attributes<'continueAsNewWorkflowExecution'>;
export type Fields = Readonly<Record<string, Payload>>;

export interface SignalTarget {
  readonly workflowId: string;
  readonly runId: string | undefined;
}

/** What a workflow task asks of the server. */
export type Command =
  | { readonly kind: 'startTimer'; readonly seq: number; readonly ms: number }
  | { readonly kind: 'cancelTimer'; readonly seq: number }
  | { readonly kind: 'scheduleActivity'; readonly seq: number; readonly activity: ScheduleActivity }
  | { readonly kind: 'cancelActivity'; readonly seq: number }
  | { readonly kind: 'startChild'; readonly seq: number; readonly child: StartChild }
  | { readonly kind: 'cancelChild'; readonly seq: number }
  | {
      readonly kind: 'signalExternal';
      readonly seq: number;
      readonly target: SignalTarget;
      readonly signalName: string;
      readonly args: Payload[];
    }
  | { readonly kind: 'cancelExternal'; readonly seq: number; readonly target: SignalTarget }
  | { readonly kind: 'patch'; readonly patchId: string }
  | { readonly kind: 'searchAttributes'; readonly fields: Fields }
  | { readonly kind: 'memo'; readonly fields: Fields }
  | { readonly kind: 'acceptUpdate'; readonly id: string }
  | { readonly kind: 'rejectUpdate'; readonly id: string; readonly failure: ProtoFailure }
  | { readonly kind: 'completeUpdate'; readonly id: string; readonly result: Payload | undefined }
  | Closing;

export type Closing =
  | { readonly kind: 'complete'; readonly result: Payload | undefined }
  | { readonly kind: 'fail'; readonly failure: ProtoFailure }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'continueAsNew'; readonly next: ContinueAsNewCommand };

export const isClosing = (command: Command): command is Closing =>
  command.kind === 'complete' ||
  command.kind === 'fail' ||
  command.kind === 'cancel' ||
  command.kind === 'continueAsNew';

/** What a replay is held to: kinds, numbers and contents. (The real one compares less: no arguments.) */
export function signature(commands: readonly Command[]): string {
  return commands.map(signatureOf).join('\n');
}

function signatureOf(command: Command): string {
  switch (command.kind) {
    case 'startTimer':
      return `startTimer ${command.seq} ${command.ms}`;
    case 'scheduleActivity': {
      const { activity } = command;
      const args = payloadText(activity.arguments);
      return `scheduleActivity ${command.seq} ${activity.activityType} ${activity.taskQueue} ${args}`;
    }
    case 'startChild':
      return `startChild ${command.seq} ${command.child.workflowId} ${payloadText(command.child.input)}`;
    case 'signalExternal':
      return `signal ${command.seq} ${command.target.workflowId} ${command.signalName} ${payloadText(command.args)}`;
    case 'cancelExternal':
      return `cancelExternal ${command.seq} ${command.target.workflowId}`;
    case 'patch':
      return `patch ${command.patchId}`;
    case 'searchAttributes':
      return `searchAttributes ${Object.keys(command.fields).join()}`;
    case 'memo':
      return `memo ${payloadText(Object.values(command.fields))}`;
    case 'acceptUpdate':
    case 'rejectUpdate':
    case 'completeUpdate':
      return `${command.kind} ${command.id}`;
    case 'complete':
      return `complete ${payloadText(command.result ? [command.result] : [])}`;
    case 'fail':
      return `fail ${command.failure.message ?? ''}`;
    case 'continueAsNew':
      return `continueAsNew ${payloadText(command.next.arguments)}`;
    case 'cancel':
      return 'cancel';
    case 'cancelTimer':
    case 'cancelActivity':
    case 'cancelChild':
      return `${command.kind} ${command.seq}`;
  }
}

/** @returns undefined for what concerns the instance alone: answers to queries, a signal taken back before it was sent */
export function readCommand(core: Core): Command | undefined {
  if (core.startTimer)
    return { kind: 'startTimer', seq: core.startTimer.seq!, ms: tsToMs(core.startTimer.startToFireTimeout) };
  if (core.cancelTimer) return { kind: 'cancelTimer', seq: core.cancelTimer.seq! };
  if (core.scheduleActivity)
    return { kind: 'scheduleActivity', seq: core.scheduleActivity.seq!, activity: core.scheduleActivity };
  if (core.requestCancelActivity) return { kind: 'cancelActivity', seq: core.requestCancelActivity.seq! };
  if (core.startChildWorkflowExecution) {
    const child = core.startChildWorkflowExecution;
    return { kind: 'startChild', seq: child.seq!, child };
  }
  if (core.cancelChildWorkflowExecution)
    return { kind: 'cancelChild', seq: core.cancelChildWorkflowExecution.childWorkflowSeq! };
  if (core.signalExternalWorkflowExecution) {
    const { seq, signalName, args, workflowExecution, childWorkflowId } = core.signalExternalWorkflowExecution;
    const target = {
      workflowId: workflowExecution?.workflowId ?? childWorkflowId!,
      runId: workflowExecution?.runId ?? undefined,
    };
    return { kind: 'signalExternal', seq: seq!, target, signalName: signalName!, args: args ?? [] };
  }
  if (core.requestCancelExternalWorkflowExecution) {
    const { seq, workflowExecution } = core.requestCancelExternalWorkflowExecution;
    const target = { workflowId: workflowExecution!.workflowId!, runId: workflowExecution!.runId ?? undefined };
    return { kind: 'cancelExternal', seq: seq!, target };
  }
  if (core.setPatchMarker) return { kind: 'patch', patchId: core.setPatchMarker.patchId! };
  if (core.upsertWorkflowSearchAttributes)
    return {
      kind: 'searchAttributes',
      fields: core.upsertWorkflowSearchAttributes.searchAttributes?.indexedFields ?? {},
    };
  if (core.modifyWorkflowProperties)
    return { kind: 'memo', fields: core.modifyWorkflowProperties.upsertedMemo?.fields ?? {} };
  if (core.updateResponse) {
    const { protocolInstanceId, accepted, rejected, completed } = core.updateResponse;
    const id = protocolInstanceId!;
    if (accepted) return { kind: 'acceptUpdate', id };
    return rejected
      ? { kind: 'rejectUpdate', id, failure: rejected }
      : { kind: 'completeUpdate', id, result: completed! };
  }
  if (core.completeWorkflowExecution)
    return { kind: 'complete', result: core.completeWorkflowExecution.result ?? undefined };
  if (core.failWorkflowExecution) return { kind: 'fail', failure: core.failWorkflowExecution.failure! };
  if (core.cancelWorkflowExecution) return { kind: 'cancel' };
  if (core.continueAsNewWorkflowExecution) return { kind: 'continueAsNew', next: core.continueAsNewWorkflowExecution };
  return undefined;
}
