import {
  ServiceError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  type Client,
  type WorkflowSignalWithStartOptions,
  type WorkflowStartOptions,
} from '@temporalio/client';
import {
  CancelledFailure,
  RetryState,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Payload,
} from '@temporalio/common';
import {
  decodeTypedSearchAttributes,
  encodeUnifiedSearchAttributes,
} from '@temporalio/common/lib/converter/payload-search-attributes.js';
import { msOptionalToNumber } from '@temporalio/common/lib/time.js';
import type { SimProcess } from '../kernel/process.js';
import { fromPayload, toError, toPayloads, textPayloads } from './runtime/payloads.js';
import type { StartRequest } from './server/chains.js';
import type { Run } from './server/run.js';
import type { Server } from './server/server.js';
import { ServerUpdate } from './server/server-update.js';

type Named = string | { readonly name: string };
const nameOf = (named: Named): string => (typeof named === 'string' ? named : named.name);

/** `temporal.api.enums.v1.WorkflowExecutionStatus`. */
const STATUS_CODES = {
  RUNNING: 1,
  COMPLETED: 2,
  FAILED: 3,
  CANCELLED: 4,
  TERMINATED: 5,
  CONTINUED_AS_NEW: 6,
  TIMED_OUT: 7,
} as const;

/** The part of Temporal's client that Devloop uses, in a process of the world. */
export function simClient(server: Server, process: SimProcess): Client {
  const workflow = {
    options: {},
    start: async (type: Named | ((...args: never[]) => unknown), options: WorkflowStartOptions) => {
      const run = await server.network.call(process, () => start(server, nameOf(type), options));
      return handle(server, process, run.workflowId, undefined, run.info.firstRunId);
    },
    signalWithStart: async (type: Named, options: WorkflowSignalWithStartOptions) => {
      const run = await server.network.call(process, () => signalWithStart(server, nameOf(type), options));
      return handle(server, process, run.workflowId, undefined, run.runId);
    },
    getHandle: (workflowId: string, runId?: string) => handle(server, process, workflowId, runId, undefined),
  };
  return { options: { namespace: 'default' }, workflow } as unknown as Client;
}

function start(server: Server, workflowType: string, options: WorkflowStartOptions): Run {
  const started = server.chains.start(startRequest(workflowType, options, 'FAIL'));
  if (started !== 'exists') return started;
  throw new WorkflowExecutionAlreadyStartedError(
    'Workflow execution already started',
    options.workflowId,
    workflowType,
  );
}

/** The signal is in history before the first task, or joins a run that is there. */
function signalWithStart(server: Server, workflowType: string, options: WorkflowSignalWithStartOptions): Run {
  const request = startRequest(workflowType, options, 'USE_EXISTING');
  const signalName = nameOf(options.signal);
  const input = toPayloads((options.signalArgs as unknown[] | undefined) ?? []);
  let isNew = false;
  const started = server.chains.start(request, (run) => {
    isNew = true;
    server.chains.signal(run, signalName, input);
  });
  if (started === 'exists')
    throw new WorkflowExecutionAlreadyStartedError(
      'Workflow execution already started',
      options.workflowId,
      workflowType,
    );
  if (!isNew) server.chains.deliverSignal(started, signalName, input);
  return started;
}

function startRequest(
  workflowType: string,
  options: WorkflowStartOptions | WorkflowSignalWithStartOptions,
  conflictPolicy: StartRequest['conflictPolicy'],
): StartRequest {
  const memo = Object.entries(options.memo ?? {}).map(([key, value]) => [key, textPayloads.toPayload(value)] as const);
  return {
    workflowId: options.workflowId,
    workflowType,
    taskQueue: options.taskQueue,
    args: toPayloads((options as { readonly args?: readonly unknown[] }).args ?? []),
    reusePolicy: (options.workflowIdReusePolicy as StartRequest['reusePolicy'] | undefined) ?? 'ALLOW_DUPLICATE',
    conflictPolicy: options.workflowIdConflictPolicy ?? conflictPolicy,
    attributes: encodeUnifiedSearchAttributes(undefined, options.typedSearchAttributes),
    memo: Object.fromEntries(memo),
    runTimeoutMs: msOptionalToNumber(options.workflowRunTimeout),
  };
}

/** @param resultRunId the run whose chain `result()` follows, so that a later start under the same id is not taken for it */
function handle(
  server: Server,
  process: SimProcess,
  workflowId: string,
  runId: string | undefined,
  resultRunId: string | undefined,
): object {
  const { network, chains } = server;
  const find = (): Run => {
    const run = chains.find(workflowId, runId);
    if (!run) throw new WorkflowNotFoundError(`workflow not found for ID: ${workflowId}`, workflowId, runId);
    return run;
  };
  const running = (): Run => {
    const run = find();
    if (run.isRunning) return run;
    throw new WorkflowNotFoundError('workflow execution already completed', workflowId, runId);
  };
  return {
    workflowId,
    firstExecutionRunId: resultRunId,
    describe: () => network.call(process, () => describeAsked(server, find())),
    signal: (signal: Named, ...args: unknown[]) =>
      network.call(process, () => {
        chains.deliverSignal(running(), nameOf(signal), toPayloads(args));
      }),
    cancel: () =>
      network.call(process, () => {
        // Of one that has ended the server says neither.
        const run = find();
        if (run.isRunning) chains.requestCancel(run);
      }),
    terminate: (reason?: string) =>
      network.call(process, () => {
        chains.terminate(running(), reason ?? 'terminated by user via frontend');
      }),
    query: async (query: Named, ...args: unknown[]) =>
      fromPayload(await network.call(process, () => askWorker(server, find(), nameOf(query), toPayloads(args)))),
    executeUpdate: async (update: Named, options: { args?: unknown[]; updateId?: string } = {}) => {
      const input = toPayloads(options.args ?? []);
      const id = options.updateId ?? chains.newRunId();
      const answer = await network.call(process, () => update_(server, running(), id, nameOf(update), input));
      return fromPayload(answer);
    },
    result: async () =>
      fromPayload(await network.call(process, () => outcome(chains.find(workflowId, runId ?? resultRunId) ?? find()))),
  };
}

function update_(server: Server, run: Run, id: string, name: string, args: Payload[]): Promise<Payload | undefined> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const isRunGone = error instanceof WorkflowNotFoundError;
      reject(isRunGone ? error : new WorkflowUpdateFailedError('Workflow Update failed', error));
    };
    server.chains.update(run, new ServerUpdate(id, name, args, { resolve, reject: fail }));
  });
}

/** Asked between two tasks, of whatever worker polls. */
function askWorker(server: Server, run: Run, queryType: string, args: Payload[]): Promise<Payload> {
  return new Promise((resolve, reject) => {
    const ask = (): void => {
      if (run.task?.phase === 'started' || (run.isRunning && run.history.length === 0)) {
        run.onTaskEnd.push(ask);
        return;
      }
      server.queues.add(run.info.taskQueue, {
        kind: 'workflow',
        isStale: () => false,
        offer: (worker) => {
          if (run.task?.phase === 'started') ask();
          else
            worker.process.deliver(() => {
              worker.answerQuery(run, queryType, args).then(resolve, reject);
            });
        },
      });
    };
    ask();
  });
}

function outcome(run: Run): Promise<Payload | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      if (run.next && run.status === 'CONTINUED_AS_NEW') outcome(run.next).then(resolve, reject);
      else if (run.status === 'COMPLETED') resolve(run.outcome.result);
      else reject(failedError(run));
    };
    if (run.isRunning) run.onClose.push(settle);
    else settle();
  });
}

function failedError(run: Run): WorkflowFailedError {
  const { status, outcome } = run;
  if (status === 'FAILED')
    return new WorkflowFailedError(
      'Workflow execution failed',
      toError(outcome.failure!),
      RetryState.RETRY_POLICY_NOT_SET,
    );
  if (status === 'CANCELLED')
    return new WorkflowFailedError(
      'Workflow execution cancelled',
      new CancelledFailure('Workflow canceled'),
      RetryState.NON_RETRYABLE_FAILURE,
    );
  if (status === 'TIMED_OUT')
    return new WorkflowFailedError(
      'Workflow execution timed out',
      new TimeoutFailure('Workflow execution timed out', undefined, 'START_TO_CLOSE'),
      RetryState.TIMEOUT,
    );
  const reason = outcome.reason ?? 'Workflow execution terminated';
  return new WorkflowFailedError(reason, new TerminatedFailure(reason), RetryState.NON_RETRYABLE_FAILURE);
}

/** A server gives up on a question of its own after this long. */
const SERVER_DEADLINE_MS = 30_000;

function describeAsked({ trouble, clock }: Server, run: Run): object | Promise<object> {
  if (trouble.describing === 'answered') return describe(run);
  if (trouble.describing === 'unheard-of')
    throw new WorkflowNotFoundError(`workflow not found for ID: ${run.workflowId}`, run.workflowId, undefined);
  const refusal = new ServiceError(`it could not be described: the server is overloaded`);
  if (trouble.describing === 'refused') throw refusal;
  return new Promise((_, reject) => {
    clock.at(clock.nowMs + SERVER_DEADLINE_MS, () => {
      reject(refusal);
    });
  });
}

function describe(run: Run): object {
  const { info, status } = run;
  const memo = Object.entries(run.memo).map(([key, payload]) => [key, fromPayload(payload)] as const);
  return {
    type: info.workflowType,
    workflowId: run.workflowId,
    runId: run.runId,
    taskQueue: info.taskQueue,
    status: { code: STATUS_CODES[status], name: status },
    historyLength: run.historyLength,
    startTime: new Date(info.startedAtMs),
    closeTime: run.closedAtMs === undefined ? undefined : new Date(run.closedAtMs),
    memo: Object.fromEntries(memo),
    typedSearchAttributes: decodeTypedSearchAttributes(run.attributes),
    raw: { workflowExecutionInfo: { firstRunId: info.firstRunId } },
  };
}
