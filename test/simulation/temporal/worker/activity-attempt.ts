import { asyncLocalStorage, Context, type Info } from '@temporalio/activity';
import {
  ActivityCancellationDetails,
  ApplicationFailure,
  CancelledFailure,
  ensureApplicationFailure,
  noopMetricMeter,
  type Logger,
  type Payload,
  type ProtoFailure,
} from '@temporalio/common';
import type { ActivityCancellationDetailsHolder } from '@temporalio/common/lib/activity-cancellation-details.js';
import { fromPayload, fromPayloads, textPayloads, toFailure } from '../runtime/payloads.js';
import type { HeartbeatAnswer } from '../server/pending-activity.js';
import { AttemptHeart } from './attempt-heart.js';
import type { SimWorker } from './sim-worker.js';

export type ActivityFunction = (...args: never[]) => unknown;

/** What a worker is handed when it polls. */
export interface AttemptTask {
  readonly token: object;
  readonly activity: {
    readonly heartbeat: (token: object, details: Payload | undefined) => HeartbeatAnswer;
    readonly report: (token: object, outcome: ActivityOutcome) => void;
  };
  readonly activityId: string;
  readonly activityType: string;
  readonly taskQueue: string;
  readonly args: readonly Payload[];
  readonly attempt: number;
  readonly heartbeatDetails: Payload | undefined;
  readonly heartbeatTimeoutMs: number | undefined;
  /** Infinite without one. */
  readonly startToCloseTimeoutMs: number;
  readonly scheduleToCloseTimeoutMs: number;
  readonly scheduledAtMs: number;
  readonly attemptScheduledAtMs: number;
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
}

export type ActivityOutcome =
  | { readonly kind: 'completed'; readonly result: Payload }
  | { readonly kind: 'cancelled'; readonly failure: ProtoFailure }
  | { readonly kind: 'failed'; readonly failure: ProtoFailure; readonly heartbeatDetails: Payload | undefined };

export type CancelReason = 'CANCELLED' | 'NOT_FOUND' | 'TIMED_OUT';

const silent: Logger = {
  log: () => undefined,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** One attempt's code, running. It may outlive what the server knows of it: then it hears so with a heartbeat's answer. */
export class ActivityAttempt {
  private readonly abort = new AbortController();
  private readonly details: ActivityCancellationDetailsHolder = {};
  private readonly heart: AttemptHeart;
  private rejectCancelled: (error: Error) => void = () => undefined;
  private cancelReason: CancelReason | undefined;

  constructor(
    worker: SimWorker,
    private readonly task: AttemptTask,
  ) {
    this.heart = new AttemptHeart(worker, task, (reason) => {
      this.cancel(reason);
    });
  }

  /** @returns undefined when the server is known to want no report */
  async run(activity: ActivityFunction | undefined): Promise<ActivityOutcome | undefined> {
    const outcome = await asyncLocalStorage.run(this.context(), () => this.perform(activity));
    this.heart.stop(outcome.kind === 'cancelled' && this.cancelReason === 'CANCELLED');
    return this.cancelReason === 'NOT_FOUND' || this.cancelReason === 'TIMED_OUT' ? undefined : outcome;
  }

  private async perform(activity: ActivityFunction | undefined): Promise<ActivityOutcome> {
    try {
      if (!activity) throw notRegistered(this.task.activityType);
      const result: unknown = await activity(...(fromPayloads(this.task.args) as never[]));
      return { kind: 'completed', result: textPayloads.toPayload(result) };
    } catch (error) {
      if (this.cancelReason && error instanceof CancelledFailure)
        return { kind: 'cancelled', failure: toFailure(error) };
      if (this.cancelReason && error instanceof Error && error.name === 'AbortError')
        return { kind: 'cancelled', failure: { canceledFailureInfo: {} } };
      const failure = toFailure(ensureApplicationFailure(error));
      return { kind: 'failed', failure, heartbeatDetails: this.heart.lastDetails };
    }
  }

  private cancel(reason: CancelReason): void {
    if (this.cancelReason) return;
    this.cancelReason = reason;
    this.details.details = new ActivityCancellationDetails({
      cancelRequested: reason === 'CANCELLED',
      notFound: reason !== 'CANCELLED',
      timedOut: reason === 'TIMED_OUT',
    });
    const error = new CancelledFailure(reason);
    this.abort.abort(error);
    this.rejectCancelled(error);
  }

  private context(): Context {
    const cancelled = new Promise<never>((_, reject) => {
      this.rejectCancelled = reject;
    });
    cancelled.catch(() => undefined);
    const beat = (details: unknown): void => {
      this.heart.beat(textPayloads.toPayload(details));
    };
    return new Context(
      this.info(),
      cancelled,
      this.abort.signal,
      beat,
      undefined,
      silent,
      noopMetricMeter,
      this.details,
    );
  }

  private info(): Info {
    const { task } = this;
    return {
      taskToken: new Uint8Array(),
      base64TaskToken: '',
      activityId: task.activityId,
      activityType: task.activityType,
      activityNamespace: 'default',
      attempt: task.attempt,
      isLocal: false,
      workflowExecution: { workflowId: task.workflowId, runId: task.runId },
      workflowNamespace: 'default',
      workflowType: task.workflowType,
      scheduledTimestampMs: Math.floor(task.scheduledAtMs),
      scheduleToCloseTimeoutMs: finite(task.scheduleToCloseTimeoutMs),
      startToCloseTimeoutMs: finite(task.startToCloseTimeoutMs),
      currentAttemptScheduledTimestampMs: Math.floor(task.attemptScheduledAtMs),
      heartbeatTimeoutMs: task.heartbeatTimeoutMs,
      heartbeatDetails: fromPayload(task.heartbeatDetails),
      taskQueue: task.taskQueue,
      namespace: 'default',
      inWorkflow: true,
    };
  }
}

/** The server writes no limit as zero. */
const finite = (ms: number): number => (ms === Infinity ? 0 : ms);

const notRegistered = (activityType: string): ApplicationFailure =>
  ApplicationFailure.retryable(`Activity function ${activityType} is not registered on this Worker`, 'NotFoundError');
