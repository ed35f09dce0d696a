import { ApplicationFailure, WorkflowNotFoundError, type ProtoFailure } from '@temporalio/common';
import type { ContinueAsNewCommand } from '../runtime/commands.js';
import { job } from '../runtime/job.js';
import { cancelledChild } from '../runtime/machines.js';
import type { Run, RunOutcome, RunStatus } from './run.js';
import type { Server } from './server.js';

/** Between a run's start and that of the next one, so that a loop does not run hot. */
const CONTINUE_AS_NEW_EVERY_MS = 1000;
/** `temporal.api.enums.v1.RetryState`. */
const RETRY_POLICY_NOT_SET = 5;
/** `temporal.api.enums.v1.ParentClosePolicy`. */
const PARENT_CLOSE = { abandon: 2, requestCancel: 3 } as const;

export function closeRun(server: Server, run: Run, status: Exclude<RunStatus, 'RUNNING'>, outcome: RunOutcome): void {
  run.status = status;
  run.outcome = outcome;
  run.closedAtMs = server.clock.nowMs;
  run.task?.cancelTimeout();
  run.task = undefined;
  for (const cancel of run.timers.values()) cancel();
  run.timers.clear();
  for (const activity of [...run.activities.values()]) activity.abandon();
  endUpdates(run);
  if (status !== 'CONTINUED_AS_NEW') {
    endChildren(server, run);
    tellParent(server, run);
  }
  for (const act of [...run.onTaskEnd.splice(0), ...run.onClose.splice(0)]) act();
}

export function continueAsNew(server: Server, run: Run, next: ContinueAsNewCommand): void {
  const { info } = run;
  const waiting = run.updates.filter((update) => !update.accepted);
  run.updates = run.updates.filter((update) => update.accepted);
  const following = server.chains.newRun(
    {
      ...info,
      runId: server.chains.newRunId(),
      continuedFromRunId: info.runId,
      workflowType: nonEmpty(next.workflowType) ?? info.workflowType,
      taskQueue: nonEmpty(next.taskQueue) ?? info.taskQueue,
      args: next.arguments ?? [],
      attributes: hasFields(next.searchAttributes?.indexedFields) ?? run.attributes,
      // What was upserted since is left behind; attributes are not.
      memo: hasFields(next.memo) ?? info.memo,
      startedAtMs: server.clock.nowMs,
    },
    run.parent,
  );
  run.next = following;
  following.firstTaskAtMs = Math.max(server.clock.nowMs, info.startedAtMs + CONTINUE_AS_NEW_EVERY_MS);
  following.updates.push(...waiting);
  for (const [seq, child] of run.children) following.children.set(seq, child);
  closeRun(server, run, 'CONTINUED_AS_NEW', {});
  server.chains.append(following);
}

const nonEmpty = (text: string | null | undefined): string | undefined =>
  text === '' ? undefined : (text ?? undefined);

const hasFields = <T extends object>(fields: T | null | undefined): T | undefined =>
  fields && Object.keys(fields).length > 0 ? fields : undefined;

function endUpdates(run: Run): void {
  for (const update of run.updates.splice(0)) {
    const error = update.accepted
      ? ApplicationFailure.nonRetryable(
          'Workflow Update failed because the Workflow completed before the Update completed.',
          'AcceptedUpdateCompletedWorkflow',
        )
      : new WorkflowNotFoundError('workflow execution already completed', run.workflowId, run.runId);
    update.answer.reject(error);
  }
}

function endChildren(server: Server, run: Run): void {
  for (const child of run.children.values()) {
    const policy = child.info.parentClosePolicy;
    if (policy === PARENT_CLOSE.abandon) continue;
    server.clock.soon(() => {
      const current = server.chains.current(child.workflowId);
      if (current?.info.firstRunId !== child.info.firstRunId || !current.isRunning) return;
      if (policy === PARENT_CLOSE.requestCancel) server.chains.requestCancel(current);
      else closeRun(server, current, 'TERMINATED', { reason: 'by parent close policy' });
    });
  }
}

function tellParent(server: Server, run: Run): void {
  const { parent } = run;
  const seq = run.info.parentSeq;
  if (!parent || seq === undefined) return;
  server.clock.soon(() => {
    const current = server.chains.current(parent.workflowId);
    if (!current?.isRunning || current.info.firstRunId !== parent.info.firstRunId) return;
    const event = job('resolveChildWorkflowExecution', { seq, result: childResult(run) });
    server.tasks.addEvent(current, event, 'last');
  });
}

function childResult(run: Run): object {
  if (run.status === 'COMPLETED') return { completed: { result: run.outcome.result } };
  const { workflowId, info } = run;
  if (run.status === 'CANCELLED')
    return {
      cancelled: { failure: cancelledChild(workflowId, info.workflowType, 'Child Workflow execution cancelled') },
    };
  return {
    failed: {
      failure: {
        message: 'Child Workflow execution failed',
        cause: run.outcome.failure ?? { message: 'Child Workflow execution terminated', terminatedFailureInfo: {} },
        childWorkflowExecutionFailureInfo: {
          workflowType: { name: info.workflowType },
          workflowExecution: { workflowId },
          retryState: RETRY_POLICY_NOT_SET,
        },
      } satisfies ProtoFailure,
    },
  };
}
