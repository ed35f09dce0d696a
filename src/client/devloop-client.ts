import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, type WorkflowStartOptions } from '@temporalio/client';
import {
  agentJobInputSchema,
  DevloopError,
  jobIdSchema,
  jsonBytes,
  MAX_JOB_BYTES,
  parseMessage,
  podSessionInputSchema,
  sessionWantsSchema,
  specConflict,
  TASK_QUEUES,
  WORKFLOW_TYPES,
  type AgentJobInput,
  type PodSessionInput,
} from '../contract/index.js';
import { closedJobs, closedSessions, type ClosedJob, type ClosedSession, type SinceOptions } from './closed.js';
import { fromService } from './failures.js';
import { JobHandle } from './job-handle.js';
import { reaperRounds, type ReaperRounds } from './reaper-rounds.js';
import { reaperState, type ReaperState } from './reaper-state.js';
import { SessionHandle } from './session-handle.js';
import { DEFAULT_NAMESPACE, temporalFromEnvironment, type TemporalSettings } from './settings.js';
import { jobStartOptions, sessionStartOptions } from './start-options.js';
import { Temporal } from './temporal.js';
import { listJobs, listSessions, type ListedJob, type ListedSession } from './visibility.js';

const CONNECT_TIMEOUT_MS = 5000;
/** A live worker's long poll is renewed every minute; Temporal remembers a dead one's for five. */
const POLLER_ALIVE_MS = 75_000;
/** `TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW` of Temporal's API. */
const WORKFLOW_QUEUE = 1;

export interface ConnectOptions {
  /** `host:port`. Without it `TEMPORAL_*` and Temporal's configuration file decide. */
  readonly address?: string;
  readonly namespace?: string;
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface StartedSession {
  readonly session: string;
  readonly workflowId: string;
  /** Of the session's first run: it stays the same for the session's whole life. */
  readonly runId: string;
  /** A session of this name was running: its own settings hold, not the ones given now. */
  readonly joined: boolean;
}

export interface SubmittedJob {
  readonly jobId: string;
  /** A job with this id was submitted before: this is that one. */
  readonly joined: boolean;
  readonly handle: JobHandle;
}

/** The way into Devloop for programs: sessions and jobs over Temporal. Needs no RunPod key. */
export class DevloopClient implements AsyncDisposable {
  private constructor(private readonly temporal: Temporal) {}

  /** @throws DevloopError `TEMPORAL_UNREACHABLE`, `CONFIG_INVALID`; the signal's reason */
  static async connect(options: ConnectOptions = {}): Promise<DevloopClient> {
    const { address, namespace, connectTimeoutMs = CONNECT_TIMEOUT_MS, signal } = options;
    const found: TemporalSettings | undefined =
      address === undefined
        ? temporalFromEnvironment()
        : { address, namespace: namespace ?? DEFAULT_NAMESPACE, connection: {} };
    if (found === undefined) {
      throw new DevloopError('CONFIG_INVALID', 'no Temporal address: set TEMPORAL_ADDRESS, or give an address');
    }
    const settings = { ...found, namespace: namespace ?? found.namespace };
    return new DevloopClient(await Temporal.connect(settings, connectTimeoutMs, signal));
  }

  get address(): string {
    return this.temporal.address;
  }

  get namespace(): string {
    return this.temporal.namespace;
  }

  close(): Promise<void> {
    return this.temporal.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Starts the session, or joins the one of this name that is running.
   * @throws DevloopError `INVALID_INPUT` before anything is sent; `SESSION_SPEC_CONFLICT` when the running one has another
   *   GPU, model, API or image than `input` asks for
   */
  async startSession(input: PodSessionInput, signal?: AbortSignal): Promise<StartedSession> {
    const { session } = parseMessage(podSessionInputSchema, input, 'session');
    const options = sessionStartOptions(input);
    for (;;) {
      const { runId, joined, running } = await this.startOrJoin(WORKFLOW_TYPES.podSession, options, signal);
      // One that ended between the refusal and the look is not joined: the name is free now.
      if (!running) continue;
      if (joined) await this.requireSame(input, signal);
      return { session, workflowId: options.workflowId, runId, joined };
    }
  }

  /** The newest session of this name; with `runId` (see `StartedSession`) exactly that one. */
  session(name: string, runId?: string): SessionHandle {
    return new SessionHandle(this.temporal, name, runId);
  }

  /** Sessions that have not ended, the newest first. Temporal's listing lags its workflows by up to a second. */
  listSessions(signal?: AbortSignal): Promise<ListedSession[]> {
    return listSessions(this.temporal, signal);
  }

  /**
   * Submits a job. With the `jobId` of an earlier one it returns that one: repeating a submit is safe.
   * @throws DevloopError `INVALID_INPUT`, `INPUT_TOO_LARGE` before anything is sent
   */
  async submitJob(input: AgentJobInput, options: { jobId?: string; signal?: AbortSignal } = {}): Promise<SubmittedJob> {
    const { jobId = randomUUID(), signal } = options;
    parseMessage(jobIdSchema, jobId, 'job id');
    parseMessage(agentJobInputSchema, input, 'job');
    const bytes = jsonBytes(input.input);
    if (bytes > MAX_JOB_BYTES) {
      throw new DevloopError('INPUT_TOO_LARGE', `job input: ${bytes} bytes; at most ${MAX_JOB_BYTES} are allowed`);
    }
    const { joined } = await this.startOrJoin(WORKFLOW_TYPES.agentJob, jobStartOptions(input, jobId), signal);
    return { jobId, joined, handle: this.job(jobId) };
  }

  job(jobId: string): JobHandle {
    return new JobHandle(this.temporal, jobId);
  }

  /** The newest first, ended ones included. */
  listJobs(limit = 10, signal?: AbortSignal): Promise<ListedJob[]> {
    return listJobs(this.temporal, limit, signal);
  }

  /** Sessions that have closed since a moment, with their records as long as Temporal keeps them; the newest first. */
  listClosedSessions(options: SinceOptions): Promise<ClosedSession[]> {
    return closedSessions(this.temporal, options);
  }

  /** Jobs likewise, with their figures. */
  listClosedJobs(options: SinceOptions): Promise<ClosedJob[]> {
    return closedJobs(this.temporal, options);
  }

  /**
   * Whether a worker polled the control queue within the last 75 s: without one nothing would happen.
   * @param options.polledAfter when the last worker known of died, ISO 8601: only later polls count
   */
  async hasWorker(options: { polledAfter?: string; signal?: AbortSignal } = {}): Promise<boolean> {
    const { polledAfter, signal } = options;
    const { workflowService } = this.temporal.client;
    const request = {
      namespace: this.namespace,
      taskQueue: { name: TASK_QUEUES.control },
      taskQueueType: WORKFLOW_QUEUE,
    };
    try {
      const { pollers } = await this.temporal.call(() => workflowService.describeTaskQueue(request), signal);
      const since = Math.max(Date.now() - POLLER_ALIVE_MS, polledAfter === undefined ? 0 : Date.parse(polledAfter));
      return (pollers ?? []).some(({ lastAccessTime: at }) => {
        return Number(at?.seconds ?? 0) * 1000 + (at?.nanos ?? 0) / 1e6 >= since;
      });
    } catch (error) {
      throw this.problem(error, signal);
    }
  }

  /** Whether the reaper's Schedule runs. @throws DevloopError `TEMPORAL_UNREACHABLE` */
  async reaper(signal?: AbortSignal): Promise<ReaperState> {
    try {
      return await reaperState(this.temporal, signal);
    } catch (error) {
      throw this.problem(error, signal);
    }
  }

  /** What the reaper has found last. @throws DevloopError `TEMPORAL_UNREACHABLE` */
  async reaperRounds(signal?: AbortSignal): Promise<ReaperRounds> {
    try {
      return await reaperRounds(this.temporal, signal);
    } catch (error) {
      throw this.problem(error, signal);
    }
  }

  /**
   * Starts a workflow or finds the one that has its id. Asking Temporal to refuse a duplicate, instead of to answer with
   * the existing one, is what tells the two apart.
   */
  private async startOrJoin(
    type: string,
    options: WorkflowStartOptions,
    signal: AbortSignal | undefined,
  ): Promise<{ runId: string; joined: boolean; running: boolean }> {
    const { client } = this.temporal;
    const unlessExists = { ...options, workflowIdConflictPolicy: 'FAIL' } as const;
    try {
      const handle = await this.temporal.call(() => client.workflow.start(type, unlessExists), signal);
      return { runId: handle.firstExecutionRunId, joined: false, running: true };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw this.problem(error, signal);
    }
    try {
      const described = await this.temporal.call(
        () => client.workflow.getHandle(options.workflowId).describe(),
        signal,
      );
      const runId = described.raw.workflowExecutionInfo?.firstRunId ?? described.runId;
      return { runId, joined: true, running: described.status.name === 'RUNNING' };
    } catch (error) {
      throw this.problem(error, signal);
    }
  }

  private async requireSame(input: PodSessionInput, signal: AbortSignal | undefined): Promise<void> {
    const { spec } = await this.session(input.session).status(signal);
    const conflict = spec && specConflict(spec, parseMessage(sessionWantsSchema, input, 'session'));
    if (conflict !== undefined)
      throw new DevloopError('SESSION_SPEC_CONFLICT', `session "${input.session}": ${conflict}`);
  }

  private problem(error: unknown, signal: AbortSignal | undefined): unknown {
    return signal?.aborted ? signal.reason : fromService(error, this.address);
  }
}
