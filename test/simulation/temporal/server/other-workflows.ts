import type { Command, StartChild } from '../runtime/commands.js';
import { job } from '../runtime/job.js';
import type { Run } from './run.js';
import type { Server } from './server.js';

/**
 * What a workflow asks of others is done after its task. When the workflow has ended by then it is not done at all: a
 * signal that was the last act of a workflow never arrives.
 */
function afterTask(server: Server, run: Run, act: () => void): void {
  server.clock.soon(() => {
    if (run.isRunning) act();
  });
}

export function signalExternal(server: Server, run: Run, command: Command & { kind: 'signalExternal' }): void {
  const { seq, target, signalName, args } = command;
  afterTask(server, run, () => {
    const receiver = server.chains.find(target.workflowId, target.runId);
    if (!receiver?.isRunning) {
      const failure = notFound('Unable to signal external workflow because it was not found');
      server.tasks.addEvent(run, job('resolveSignalExternalWorkflow', { seq, failure }));
      return;
    }
    server.chains.deliverSignal(receiver, signalName, args);
    server.tasks.addEvent(run, job('resolveSignalExternalWorkflow', { seq }));
  });
}

export function cancelExternal(server: Server, run: Run, command: Command & { kind: 'cancelExternal' }): void {
  const { seq, target } = command;
  afterTask(server, run, () => {
    const receiver = server.chains.find(target.workflowId, target.runId);
    if (receiver?.isRunning) server.chains.requestCancel(receiver);
    const failure = receiver ? undefined : notFound('Unable to cancel external workflow because not found');
    server.tasks.addEvent(run, job('resolveRequestCancelExternalWorkflow', { seq, failure }));
  });
}

const notFound = (message: string): object => ({
  message,
  applicationFailureInfo: { type: 'ExternalWorkflowExecutionNotFound' },
});

export function startChild(server: Server, run: Run, seq: number, child: StartChild): void {
  afterTask(server, run, () => {
    const workflowId = child.workflowId!;
    const workflowType = child.workflowType!;
    const reuse: number = child.workflowIdReusePolicy ?? 0;
    const started = server.chains.start({
      workflowId,
      workflowType,
      taskQueue: child.taskQueue!,
      args: child.input ?? [],
      reusePolicy: reuse === REUSE.rejectDuplicate ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE',
      conflictPolicy: 'FAIL',
      attributes: child.searchAttributes?.indexedFields ?? {},
      memo: child.memo ?? {},
      runTimeoutMs: undefined,
      parent: { run, seq, closePolicy: child.parentClosePolicy ?? 1 },
    });
    if (started === 'exists') {
      const failed = { workflowId, workflowType, cause: 1 };
      server.tasks.addEvent(run, job('resolveChildWorkflowExecutionStart', { seq, failed }));
      return;
    }
    run.children.set(seq, started);
    server.tasks.addEvent(run, job('resolveChildWorkflowExecutionStart', { seq, succeeded: { runId: started.runId } }));
  });
}

/** `temporal.api.enums.v1.WorkflowIdReusePolicy`. */
const REUSE: Readonly<Record<'rejectDuplicate', number>> = { rejectDuplicate: 3 };

export function requestChildCancel(server: Server, run: Run, seq: number): void {
  afterTask(server, run, () => {
    const child = run.children.get(seq);
    const current = child && server.chains.current(child.workflowId);
    if (current?.isRunning && current.info.firstRunId === child?.info.firstRunId) server.chains.requestCancel(current);
  });
}
