import type { Payload, ProtoFailure } from '@temporalio/common';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import type { Cancel } from '../../kernel/kernel.js';
import type { ScheduleActivity } from '../runtime/commands.js';
import { job } from '../runtime/job.js';
import { cancelledActivity } from '../runtime/machines.js';
import { toPayloads } from '../runtime/payloads.js';
import type { ActivityOutcome, AttemptTask } from '../worker/activity-attempt.js';
import type { SimWorker } from '../worker/sim-worker.js';
import { RETRY_STATE, retryDecision, type RetryState } from './retry.js';
import type { Run } from './run.js';
import type { Server } from './server.js';

/** `temporal.api.enums.v1.TimeoutType`, with the server's words for it. */
const TIMEOUTS = {
  StartToClose: 1,
  ScheduleToStart: 2,
  ScheduleToClose: 3,
  Heartbeat: 4,
} as const;
type Timeout = keyof typeof TIMEOUTS;

const NO_TIME_TO_RETRY =
  'Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying';

/** An attempt as the server counts it: whoever reports with another one is told that there is no such thing. */
interface Attempt {
  phase: 'backing-off' | 'scheduled' | 'started';
  scheduledAtMs: number;
  lastBeatAtMs: number;
  readonly timeouts: Cancel[];
}

type CancelDetails = NonNullable<ProtoFailure['canceledFailureInfo']>['details'];

export type HeartbeatAnswer = 'go-on' | 'cancel' | 'not-found';

/** An activity between its command and its one outcome in history. */
export class PendingActivity {
  private attempt: Attempt;
  private number = 1;
  private heartbeatDetails: Payload | undefined;
  private lastFailure: ProtoFailure | undefined;
  private cancelRequested = false;
  private readonly limits: Readonly<
    Record<'startToClose' | 'scheduleToClose' | 'scheduleToStart' | 'heartbeat', number>
  >;
  private readonly firstScheduledAtMs: number;
  private readonly cancelScheduleToClose: Cancel;

  constructor(
    private readonly server: Server,
    private readonly run: Run,
    private readonly seq: number,
    private readonly command: ScheduleActivity,
  ) {
    const scheduleToClose = optionalTsToMs(command.scheduleToCloseTimeout) ?? Infinity;
    const within = (ms: number | undefined): number => Math.min(ms ?? Infinity, scheduleToClose);
    this.limits = {
      scheduleToClose,
      startToClose: within(optionalTsToMs(command.startToCloseTimeout)),
      scheduleToStart: within(optionalTsToMs(command.scheduleToStartTimeout)),
      heartbeat: optionalTsToMs(command.heartbeatTimeout) ?? Infinity,
    };
    this.firstScheduledAtMs = server.clock.nowMs;
    this.cancelScheduleToClose = this.after(scheduleToClose, () => {
      this.timeOut('ScheduleToClose');
    });
    this.attempt = this.schedule();
  }

  requestCancel(): void {
    if (this.attempt.phase === 'started') {
      this.cancelRequested = true;
      return;
    }
    this.resolveCancelled({ payloads: toPayloads(['ACTIVITY_ID_NOT_STARTED']) });
  }

  /** The run has ended, or was reset: nobody waits for it any more. */
  abandon(): void {
    this.clearTimeouts();
    this.cancelScheduleToClose();
    this.run.activities.delete(this.seq);
  }

  heartbeat(token: object, details: Payload | undefined): HeartbeatAnswer {
    if (!this.isCurrent(token)) return 'not-found';
    this.heartbeatDetails = details;
    this.attempt.lastBeatAtMs = this.server.clock.nowMs;
    return this.cancelRequested ? 'cancel' : 'go-on';
  }

  report(token: object, outcome: ActivityOutcome): void {
    if (!this.isCurrent(token)) return;
    switch (outcome.kind) {
      case 'completed':
        this.resolve({ completed: { result: outcome.result } });
        break;
      case 'cancelled':
        // A worker that gives up without having been asked is wrong; the server refuses it, and the attempt times out.
        if (this.cancelRequested) this.resolveCancelled(outcome.failure.canceledFailureInfo?.details);
        break;
      case 'failed':
        this.heartbeatDetails = outcome.heartbeatDetails ?? this.heartbeatDetails;
        this.fail(outcome.failure);
    }
  }

  private isCurrent(token: object): boolean {
    return token === this.attempt && this.run.activities.get(this.seq) === this && this.run.isRunning;
  }

  private schedule(): Attempt {
    const { server, command } = this;
    const attempt: Attempt = {
      phase: 'scheduled',
      scheduledAtMs: server.clock.nowMs,
      lastBeatAtMs: 0,
      timeouts: [],
    };
    this.attempt = attempt;
    if (this.limits.scheduleToStart < this.limits.scheduleToClose)
      attempt.timeouts.push(
        this.after(this.limits.scheduleToStart, () => {
          this.timeOut('ScheduleToStart');
        }),
      );
    server.queues.add(command.taskQueue!, {
      kind: 'activity',
      isStale: () => !this.isCurrent(attempt) || attempt.phase !== 'scheduled',
      offer: (worker) => {
        this.start(attempt, worker);
      },
    });
    return attempt;
  }

  private start(attempt: Attempt, worker: SimWorker): void {
    attempt.phase = 'started';
    attempt.lastBeatAtMs = this.server.clock.nowMs;
    this.clearTimeouts();
    if (this.limits.startToClose < Infinity)
      attempt.timeouts.push(
        this.after(this.limits.startToClose, () => {
          this.timeOut('StartToClose');
        }),
      );
    if (this.limits.heartbeat < Infinity) this.watchHeart(attempt);
    worker.receiveActivity(this.taskOf(attempt));
  }

  private watchHeart(attempt: Attempt): void {
    const dueAtMs = attempt.lastBeatAtMs + this.limits.heartbeat;
    const cancel = this.server.clock.at(dueAtMs, () => {
      if (!this.isCurrent(attempt)) return;
      if (attempt.lastBeatAtMs + this.limits.heartbeat > this.server.clock.nowMs) this.watchHeart(attempt);
      else this.timeOut('Heartbeat');
    });
    attempt.timeouts.push(cancel);
  }

  private taskOf(attempt: Attempt): AttemptTask {
    const { command, run, limits } = this;
    return {
      token: attempt,
      activity: this,
      activityId: command.activityId!,
      activityType: command.activityType!,
      taskQueue: command.taskQueue!,
      args: command.arguments ?? [],
      attempt: this.number,
      heartbeatDetails: this.heartbeatDetails,
      heartbeatTimeoutMs: limits.heartbeat < Infinity ? limits.heartbeat : undefined,
      startToCloseTimeoutMs: limits.startToClose,
      scheduleToCloseTimeoutMs: limits.scheduleToClose,
      scheduledAtMs: this.firstScheduledAtMs,
      attemptScheduledAtMs: attempt.scheduledAtMs,
      workflowId: run.workflowId,
      runId: run.runId,
      workflowType: run.info.workflowType,
    };
  }

  /** Schedule-to-close bounds the other limits: the one that it has cut short is what the server names. */
  private timeOut(timeout: Timeout): void {
    const { phase } = this.attempt;
    if (timeout === 'ScheduleToClose' && phase === 'started') this.fail(this.timeoutFailure('StartToClose'));
    else if (timeout === 'StartToClose' || timeout === 'Heartbeat') this.fail(this.timeoutFailure(timeout));
    else {
      const isUnseen = timeout === 'ScheduleToClose' && phase === 'scheduled' && this.number === 1;
      const failure = this.timeoutFailure(isUnseen ? 'ScheduleToStart' : timeout);
      this.resolveFailed({ ...failure, cause: this.lastFailure }, RETRY_STATE.timeout);
    }
  }

  private timeoutFailure(timeout: Timeout, message = `activity ${timeout} timeout`): ProtoFailure {
    const lastHeartbeatDetails = this.heartbeatDetails && { payloads: [this.heartbeatDetails] };
    return {
      message,
      source: 'Server',
      timeoutFailureInfo: { timeoutType: TIMEOUTS[timeout], lastHeartbeatDetails },
    };
  }

  private fail(failure: ProtoFailure): void {
    const { clock } = this.server;
    const decision = retryDecision({
      policy: this.command.retryPolicy,
      attempt: this.number,
      failure,
      cancelRequested: this.cancelRequested,
      nowMs: clock.nowMs,
      untilMs: this.firstScheduledAtMs + this.limits.scheduleToClose,
    });
    if (decision.state !== RETRY_STATE.inProgress) {
      const isLate = decision.state === RETRY_STATE.timeout && failure.timeoutFailureInfo;
      this.resolveFailed(isLate ? this.timeoutFailure('ScheduleToClose', NO_TIME_TO_RETRY) : failure, decision.state);
      return;
    }
    this.lastFailure = failure;
    this.clearTimeouts();
    this.number += 1;
    const waiting: Attempt = { phase: 'backing-off', scheduledAtMs: 0, lastBeatAtMs: 0, timeouts: [] };
    this.attempt = waiting;
    waiting.timeouts.push(
      this.after(decision.afterMs, () => {
        this.schedule();
      }),
    );
  }

  private resolveFailed(cause: ProtoFailure, retryState: RetryState): void {
    const message = cause.timeoutFailureInfo ? 'Activity task timed out' : 'Activity task failed';
    const activityFailureInfo = {
      activityType: { name: this.command.activityType },
      activityId: this.command.activityId,
      retryState,
    };
    this.resolve({ failed: { failure: { message, cause, activityFailureInfo } } });
  }

  /** Of a worker's answer the server keeps the details alone. */
  private resolveCancelled(details: CancelDetails): void {
    const { activityType, activityId } = this.command;
    const failure = cancelledActivity(activityType!, activityId!, { canceledFailureInfo: { details } });
    this.resolve({ cancelled: { failure } });
  }

  private resolve(result: object): void {
    this.abandon();
    this.server.tasks.addEvent(this.run, job('resolveActivity', { seq: this.seq, result }), 'last');
  }

  private clearTimeouts(): void {
    for (const cancel of this.attempt.timeouts.splice(0)) cancel();
  }

  private after(ms: number, act: () => void): Cancel {
    return ms === Infinity ? () => undefined : this.server.clock.at(this.server.clock.nowMs + ms, act);
  }
}
