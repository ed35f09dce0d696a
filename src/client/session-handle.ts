import { QueryRejectedError, type WorkflowExecutionDescription, type WorkflowHandle } from '@temporalio/client';
import {
  leaseAnswerSchema,
  MAX_PROBLEM_CHARACTERS,
  MEMO_KEYS,
  parseMessage,
  RECORD_QUERY,
  REQUEST_LEASE_UPDATE,
  SESSION_SIGNALS,
  sessionRecordSchema,
  sessionStatusSchema,
  sessionWorkflowId,
  STATUS_QUERY,
  type AcquireLease,
  type LeaseAnswer,
  type SessionRecord,
  type SessionStatus,
} from '../contract/index.js';
import { askToEnd, type Asked } from './ask-to-end.js';
import { isDeadline, meaningOfSession, noWorkerError, toDevloopError, type FailureMeaning } from './failures.js';
import { Lease, type LeaseOptions, type LeaseSession } from './lease-handle.js';
import type { Temporal } from './temporal.js';
import { watch, type WatchOptions } from './watch.js';

/** One session by name: the newest one, or exactly the one whose first run id is given. */
export class SessionHandle {
  readonly workflowId: string;
  private readonly handle: WorkflowHandle;
  private readonly meaning: FailureMeaning;

  constructor(
    private readonly temporal: Temporal,
    readonly session: string,
    firstRunId?: string,
  ) {
    this.workflowId = sessionWorkflowId(session);
    this.handle = temporal.client.workflow.getHandle(
      this.workflowId,
      undefined,
      firstRunId === undefined ? {} : { firstExecutionRunId: firstRunId },
    );
    this.meaning = meaningOfSession(session);
  }

  /**
   * The session as it is now; for one that has ended, how it ended.
   * @throws DevloopError `SESSION_NOT_FOUND`, `NO_WORKER`, `SESSION_FAILED` (ended without a record), `TEMPORAL_UNREACHABLE`
   */
  async status(signal?: AbortSignal): Promise<SessionStatus> {
    try {
      const answer = await this.temporal.call(() => this.handle.query<unknown>(STATUS_QUERY), signal);
      return upToNow(parseMessage(sessionStatusSchema, answer, 'SessionStatus'), Date.now());
    } catch (error) {
      if (error instanceof QueryRejectedError) return this.endedStatus(signal);
      if (isDeadline(error)) throw noWorkerError(this.temporal.address);
      throw this.problem(error, signal);
    }
  }

  /**
   * Asks the session to end. Returns when Temporal has the wish; `result()` waits for the verified end.
   * @throws DevloopError `SESSION_NOT_FOUND`, `TEMPORAL_UNREACHABLE`
   */
  async stop(reason: string, signal?: AbortSignal): Promise<Asked> {
    const ask = (): Promise<void> => this.handle.signal(SESSION_SIGNALS.stop, { reason });
    try {
      return await askToEnd(this.temporal, this.handle, ask, signal);
    } catch (error) {
      throw this.problem(error, signal);
    }
  }

  /**
   * A lease for a program outside Temporal; waits while the session boots or others are before it.
   * @throws DevloopError `LEASE_REVOKED` (the session is ending), `SESSION_NOT_FOUND`, `NO_WORKER`; the signal's reason
   */
  requestLease(options: LeaseOptions = {}): Promise<Lease> {
    const tell = (signal: string, message: object): Promise<void> =>
      this.temporal.call(() => this.handle.signal(signal, message));
    const session: LeaseSession = {
      ask: (request, signal) => this.ask(request, signal),
      tellUse: (leaseId, atMs) =>
        tell(SESSION_SIGNALS.renewLease, { leaseId, lastUsedAt: new Date(atMs).toISOString() }),
      giveBack: (leaseId) => tell(SESSION_SIGNALS.releaseLease, { leaseId }),
      report: (podId, problem) =>
        tell(SESSION_SIGNALS.reportPod, { podId, problem: problem.slice(0, MAX_PROBLEM_CHARACTERS) }),
    };
    return Lease.take(session, options);
  }

  private async ask(request: AcquireLease, signal?: AbortSignal): Promise<LeaseAnswer> {
    const update = { args: [request] as [AcquireLease] };
    try {
      const answer = await this.temporal.call(
        () => this.handle.executeUpdate<unknown, [AcquireLease]>(REQUEST_LEASE_UPDATE, update),
        signal,
      );
      return parseMessage(leaseAnswerSchema, answer, 'answer to requestLease');
    } catch (error) {
      if (isDeadline(error)) throw noWorkerError(this.temporal.address);
      throw this.problem(error, signal);
    }
  }

  /** The status whenever its essence changed. Ends after `stopped`. */
  watch(options: WatchOptions = {}): AsyncGenerator<SessionStatus, void, undefined> {
    const read = (signal?: AbortSignal): Promise<SessionStatus> => this.status(signal);
    return watch({ read, essence: essenceOf, isLast: ({ phase }) => phase === 'stopped' }, options);
  }

  /** Waits for the verified end, however long that takes. */
  async result(signal?: AbortSignal): Promise<SessionRecord> {
    try {
      const record = await this.temporal.abortable(() => this.handle.result() as Promise<unknown>, signal);
      return parseMessage(sessionRecordSchema, record, 'SessionRecord');
    } catch (error) {
      throw this.problem(error, signal);
    }
  }

  /** The record of a session that has ended, also of one that failed: from its memo, else from its result. */
  async record(signal?: AbortSignal): Promise<SessionRecord> {
    return this.recordIn(await this.describe(signal), signal);
  }

  /**
   * The record of a session that runs, up to now by this program's clock; undefined once it has ended.
   * @throws DevloopError `NO_WORKER`, `TEMPORAL_UNREACHABLE`, `SESSION_NOT_FOUND`
   */
  async recordSoFar(signal?: AbortSignal): Promise<SessionRecord | undefined> {
    const at = new Date().toISOString();
    try {
      const answer = await this.temporal.call(
        () => this.handle.query<unknown, [{ at: string }]>(RECORD_QUERY, { at }),
        signal,
      );
      return parseMessage(sessionRecordSchema, answer, 'SessionRecord');
    } catch (error) {
      if (error instanceof QueryRejectedError) return undefined;
      if (isDeadline(error)) throw noWorkerError(this.temporal.address);
      throw this.problem(error, signal);
    }
  }

  private async recordIn({ memo }: WorkflowExecutionDescription, signal?: AbortSignal): Promise<SessionRecord> {
    const record = sessionRecordSchema.safeParse(memo?.[MEMO_KEYS.record]);
    return record.success ? record.data : this.result(signal);
  }

  private async endedStatus(signal?: AbortSignal): Promise<SessionStatus> {
    const described = await this.describe(signal);
    // The next one of this name has begun since: it can be asked.
    if (described.status.name === 'RUNNING') return this.status(signal);
    return statusOf(await this.recordIn(described, signal));
  }

  private async describe(signal?: AbortSignal): Promise<WorkflowExecutionDescription> {
    try {
      return await this.temporal.call(() => this.handle.describe(), signal);
    } catch (error) {
      throw this.problem(error, signal);
    }
  }

  /** The signal's reason when the caller aborted, else the error with the contract's code. */
  private problem(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason;
    return toDevloopError(error, this.temporal.address, this.meaning);
  }
}

/** How an ended session looks to somebody who asks for its status. */
export function statusOf(record: SessionRecord): SessionStatus {
  const pod = record.pods.at(-1);
  return {
    session: record.session,
    phase: 'stopped',
    ...(pod === undefined
      ? {}
      : {
          pod: {
            id: pod.id,
            name: pod.name,
            gpu: pod.gpu,
            costPerHourUsd: pod.costPerHourUsd,
            createdAt: pod.createdAt,
          },
        }),
    condemned: [],
    uptimeSeconds: pod === undefined ? 0 : (Date.parse(pod.endedAt) - Date.parse(pod.createdAt)) / 1000,
    costUsd: record.costUsd,
    leases: [],
    queued: 0,
    hardDeadline: record.endedAt,
    why: `Ended ${record.endedAt}: ${record.stopReason}.`,
    stopReason: record.stopReason,
    jobsServed: record.jobsServed,
  };
}

/** What makes two statuses differ for somebody who watches: all but the running seconds and cost. */
export function essenceOf(status: SessionStatus): SessionStatus {
  return { ...status, uptimeSeconds: 0, costUsd: 0 };
}

/** A query answers by the workflow's clock, which stands still between its events: the running figures are brought up to now. */
export function upToNow(status: SessionStatus, nowMs: number): SessionStatus {
  const { pod, phase, uptimeSeconds, costUsd } = status;
  if (pod === undefined || phase === 'stopped') return status;
  const missedSeconds = Math.max(0, (nowMs - Date.parse(pod.createdAt)) / 1000 - uptimeSeconds);
  return {
    ...status,
    uptimeSeconds: uptimeSeconds + missedSeconds,
    costUsd: costUsd + (missedSeconds / 3600) * pod.costPerHourUsd,
  };
}
