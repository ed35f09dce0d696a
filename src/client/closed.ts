import type { WorkflowExecutionInfo } from '@temporalio/client';
import {
  agentJobResultSchema,
  DevloopError,
  jobIdOf,
  MEMO_KEYS,
  sessionNameOf,
  sessionRecordSchema,
  WORKFLOW_TYPES,
  type ErrorCode,
  type JobPhase,
  type SessionRecord,
  type Usage,
} from '../contract/index.js';
import { atOnce } from './at-once.js';
import { meaningOfJob, meaningOfSession, toDevloopError, type FailureMeaning } from './failures.js';
import { jobInput } from './job-input.js';
import { listedAttributes } from './search-attributes.js';
import type { Temporal } from './temporal.js';
import { everyListed, jobState } from './visibility.js';

const AT_ONCE = 16;

export interface SinceOptions {
  /** Workflows that closed before it are left out. */
  readonly since: Date;
  readonly signal?: AbortSignal;
}

/** `terminated`: ended from outside, so that nobody has seen its pod's end. */
export type ClosedState = 'ended' | 'failed' | 'cancelled' | 'terminated';

/** A session that has closed, with all that Temporal still has of it. */
export interface ClosedSession {
  readonly session: string;
  readonly runId: string;
  readonly project: string | undefined;
  readonly state: ClosedState;
  readonly code: ErrorCode | undefined;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Absent where it was terminated. */
  readonly record: SessionRecord | undefined;
  /** Of its last pod. */
  readonly podId: string | undefined;
  readonly costUsd: number | undefined;
}

/** A job that has closed: its figures, neither what it was asked nor what it answered. */
export interface ClosedJob {
  readonly jobId: string;
  readonly runId: string;
  readonly session: string | undefined;
  readonly project: string | undefined;
  /** Absent where its input cannot be read. */
  readonly agent: string | undefined;
  readonly state: JobPhase;
  readonly code: ErrorCode | undefined;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly podId?: string;
  readonly usage?: Usage;
  readonly waitSeconds?: number;
  readonly runSeconds?: number;
  readonly costUsd?: number;
}

export async function closedSessions(temporal: Temporal, { since, signal }: SinceOptions): Promise<ClosedSession[]> {
  const listed = await closedOf(temporal, WORKFLOW_TYPES.podSession, since, signal);
  const read = await atOnce(AT_ONCE, listed, async (info): Promise<ClosedSession[]> => {
    const session = sessionNameOf(info.workflowId);
    if (session === undefined) return [];
    const { project, podId, costUsd } = listedAttributes(info.typedSearchAttributes);
    const state = sessionState(info.status.name);
    const inMemo = sessionRecordSchema.safeParse(info.memo?.[MEMO_KEYS.record]).data;
    const asksResult = state === 'failed' || (state === 'ended' && !inMemo);
    const outcome = asksResult ? await outcomeOf(temporal, info, meaningOfSession(session), signal) : {};
    const record = inMemo ?? sessionRecordSchema.safeParse(outcome.result).data;
    return [{ session, project, podId, costUsd, state, code: outcome.code, record, ...runOf(info) }];
  });
  return read.flat();
}

export async function closedJobs(temporal: Temporal, { since, signal }: SinceOptions): Promise<ClosedJob[]> {
  const listed = await closedOf(temporal, WORKFLOW_TYPES.agentJob, since, signal);
  const read = await atOnce(AT_ONCE, listed, async (info): Promise<ClosedJob[]> => {
    const jobId = jobIdOf(info.workflowId);
    if (jobId === undefined) return [];
    const { session, project } = listedAttributes(info.typedSearchAttributes);
    const { code, result } = await outcomeOf(temporal, info, meaningOfJob(jobId), signal);
    const { usage, podId, waitSeconds, runSeconds, costUsd } = agentJobResultSchema.safeParse(result).data ?? {};
    const figures = { podId, usage, waitSeconds, runSeconds, costUsd };
    const known = Object.fromEntries(Object.entries(figures).filter(([, figure]) => figure !== undefined));
    const agent = await agentOf(temporal, jobId, signal);
    return [{ jobId, session, project, agent, state: jobState(info.status.name), code, ...runOf(info), ...known }];
  });
  return read.flat();
}

function closedOf(temporal: Temporal, type: string, since: Date, signal?: AbortSignal) {
  // A run that continued as new has not ended what it is a part of.
  const query = `WorkflowType = '${type}' AND CloseTime >= '${since.toISOString()}' AND ExecutionStatus != 'ContinuedAsNew'`;
  return everyListed(temporal, query, signal);
}

function runOf({ runId, startTime, closeTime }: WorkflowExecutionInfo) {
  return { runId, startedAt: startTime.toISOString(), endedAt: (closeTime ?? startTime).toISOString() };
}

/** The result of exactly this run, or the code of its failure. */
async function outcomeOf(
  temporal: Temporal,
  { workflowId, runId }: WorkflowExecutionInfo,
  meaning: FailureMeaning,
  signal: AbortSignal | undefined,
): Promise<{ readonly result?: unknown; readonly code?: ErrorCode }> {
  const handle = temporal.client.workflow.getHandle(workflowId, runId, { followRuns: false });
  try {
    return { result: await temporal.call(() => handle.result() as Promise<unknown>, signal) };
  } catch (error) {
    signal?.throwIfAborted();
    const problem = toDevloopError(error, temporal.address, meaning);
    if (problem.code === 'TEMPORAL_UNREACHABLE' || problem.code === 'CONFIG_INVALID') throw problem;
    return { code: problem.code };
  }
}

/** What is no input of a job has started a workflow all the same, which then failed. */
async function agentOf(
  temporal: Temporal,
  jobId: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    return (await jobInput(temporal, jobId, signal)).agent;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof DevloopError && error.code === 'INVALID_INPUT') return undefined;
    throw toDevloopError(error, temporal.address, meaningOfJob(jobId));
  }
}

function sessionState(status: string): ClosedState {
  switch (status) {
    case 'COMPLETED':
      return 'ended';
    case 'FAILED':
      return 'failed';
    case 'CANCELLED':
      return 'cancelled';
    default:
      return 'terminated';
  }
}
