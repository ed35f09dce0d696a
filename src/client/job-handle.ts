import { QueryRejectedError, type WorkflowHandle } from '@temporalio/client';
import {
  agentJobResultSchema,
  DevloopError,
  hasEnded,
  jobStatusSchema,
  jobWorkflowId,
  parseMessage,
  STATUS_QUERY,
  type AgentJobResult,
  type ErrorCode,
  type JobPhase,
  type JobStatus,
} from '../contract/index.js';
import { askToEnd, type Asked } from './ask-to-end.js';
import { isDeadline, meaningOfJob, noWorkerError, toDevloopError, type FailureMeaning } from './failures.js';
import { jobInput } from './job-input.js';
import type { Temporal } from './temporal.js';
import { watch, type WatchOptions } from './watch.js';

export interface JobReport {
  readonly jobId: string;
  readonly status: JobStatus;
  readonly result?: AgentJobResult;
  readonly failure?: { readonly code: ErrorCode; readonly message: string };
}

/** One job by its id. */
export class JobHandle {
  readonly workflowId: string;
  private readonly handle: WorkflowHandle;
  private readonly meaning: FailureMeaning;

  constructor(
    private readonly temporal: Temporal,
    readonly jobId: string,
  ) {
    this.workflowId = jobWorkflowId(jobId);
    this.handle = temporal.client.workflow.getHandle(this.workflowId);
    this.meaning = meaningOfJob(jobId);
  }

  /**
   * Waits for the answer.
   * @throws DevloopError with the code of the job's failure, such as `NO_CAPACITY`, `JOB_TIMEOUT`, `JOB_CANCELLED`
   */
  async result(signal?: AbortSignal): Promise<AgentJobResult> {
    try {
      const result = await this.temporal.abortable(() => this.handle.result() as Promise<unknown>, signal);
      return parseMessage(agentJobResultSchema, result, 'AgentJob result');
    } catch (error) {
      throw this.problem(error, signal);
    }
  }

  /** @throws DevloopError `JOB_NOT_FOUND`, `NO_WORKER`, `TEMPORAL_UNREACHABLE` */
  async status(signal?: AbortSignal): Promise<JobStatus> {
    try {
      const answer = await this.temporal.call(() => this.handle.query<unknown>(STATUS_QUERY), signal);
      return parseMessage(jobStatusSchema, answer, 'JobStatus');
    } catch (error) {
      if (error instanceof QueryRejectedError) return this.endedStatus(signal);
      if (isDeadline(error)) throw noWorkerError(this.temporal.address);
      throw this.problem(error, signal);
    }
  }

  /** The status whenever it changed in more than its running seconds. Ends after `done`, `failed` or `cancelled`. */
  watch(options: WatchOptions = {}): AsyncGenerator<JobStatus, void, undefined> {
    const read = (signal?: AbortSignal): Promise<JobStatus> => this.status(signal);
    const essence = (status: JobStatus) => ({ ...status, waitSeconds: 0, runSeconds: 0 });
    return watch({ read, essence, isLast: ({ phase }) => hasEnded(phase) }, options);
  }

  /** How the job stands and, when it has ended, its answer or why there is none. */
  async report(signal?: AbortSignal): Promise<JobReport> {
    const status = await this.status(signal);
    if (!hasEnded(status.phase)) return { jobId: this.jobId, status };
    try {
      return { jobId: this.jobId, status, result: await this.result(signal) };
    } catch (error) {
      if (!(error instanceof DevloopError) || error.code === 'TEMPORAL_UNREACHABLE') throw error;
      return { jobId: this.jobId, status, failure: { code: error.code, message: error.message } };
    }
  }

  /**
   * Asks the job to end. It gives its lease back first; `result()` then rejects with `JOB_CANCELLED`.
   * @throws DevloopError `JOB_NOT_FOUND`, `TEMPORAL_UNREACHABLE`
   */
  async cancel(signal?: AbortSignal): Promise<Asked> {
    try {
      return await askToEnd(this.temporal, this.handle, () => this.handle.cancel(), signal);
    } catch (error) {
      throw this.problem(error, signal);
    }
  }

  /** A job that has ended answers no query: its start and its result say the same. */
  private async endedStatus(signal?: AbortSignal): Promise<JobStatus> {
    const facts = await this.startFacts(signal);
    try {
      const { podId, waitSeconds, runSeconds } = await this.result(signal);
      return { ...facts, phase: 'done', podId, waitSeconds, runSeconds, why: 'The job is done.' };
    } catch (error) {
      if (!(error instanceof DevloopError) || error.code === 'TEMPORAL_UNREACHABLE') throw error;
      const phase: JobPhase = error.code === 'JOB_CANCELLED' ? 'cancelled' : 'failed';
      return { ...facts, phase, why: `${error.code}: ${error.message}` };
    }
  }

  private async startFacts(signal?: AbortSignal): Promise<Omit<JobStatus, 'phase' | 'why'>> {
    try {
      const { startTime, closeTime } = await this.temporal.call(() => this.handle.describe(), signal);
      const { session, agent, project } = await jobInput(this.temporal, this.jobId, signal);
      const elapsedMs = (closeTime ?? new Date()).getTime() - startTime.getTime();
      return {
        session,
        agent,
        ...(project === undefined ? {} : { project }),
        waitSeconds: elapsedMs / 1000,
        runSeconds: 0,
      };
    } catch (error) {
      throw this.problem(error, signal);
    }
  }

  private problem(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason;
    return toDevloopError(error, this.temporal.address, this.meaning);
  }
}
