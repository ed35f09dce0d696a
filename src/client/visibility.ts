import type { WorkflowExecutionInfo } from '@temporalio/client';
import { jobIdOf, sessionNameOf, WORKFLOW_TYPES, type JobPhase } from '../contract/index.js';
import { fromService } from './failures.js';
import { listedAttributes } from './search-attributes.js';
import type { Temporal } from './temporal.js';

const MAX_SESSIONS = 1000;
const PAGE = 500;

export interface ListedSession {
  readonly session: string;
  readonly workflowId: string;
  readonly project: string | undefined;
  readonly startedAt: string;
}

export interface ListedJob {
  readonly jobId: string;
  readonly session: string | undefined;
  readonly project: string | undefined;
  readonly state: JobPhase;
  readonly startedAt: string;
  readonly endedAt: string | undefined;
}

export async function listSessions(temporal: Temporal, signal?: AbortSignal): Promise<ListedSession[]> {
  const query = `WorkflowType = '${WORKFLOW_TYPES.podSession}' AND ExecutionStatus = 'Running'`;
  const listed = await listWorkflows(temporal, query, MAX_SESSIONS, signal);
  return listed.flatMap(({ workflowId, startTime, typedSearchAttributes }) => {
    const session = sessionNameOf(workflowId);
    if (session === undefined) return [];
    const { project } = listedAttributes(typedSearchAttributes);
    return [{ session, workflowId, project, startedAt: startTime.toISOString() }];
  });
}

export async function listJobs(temporal: Temporal, limit: number, signal?: AbortSignal): Promise<ListedJob[]> {
  const listed = await listWorkflows(temporal, `WorkflowType = '${WORKFLOW_TYPES.agentJob}'`, limit, signal);
  return listed.flatMap(({ workflowId, status, startTime, closeTime, typedSearchAttributes }) => {
    const jobId = jobIdOf(workflowId);
    if (jobId === undefined) return [];
    const { session, project } = listedAttributes(typedSearchAttributes);
    const state = jobState(status.name);
    return [{ jobId, session, project, state, startedAt: startTime.toISOString(), endedAt: closeTime?.toISOString() }];
  });
}

/** Every workflow that the query finds, however many pages that takes. */
export async function everyListed(
  temporal: Temporal,
  query: string,
  signal: AbortSignal | undefined,
): Promise<WorkflowExecutionInfo[]> {
  const pages = temporal.client.workflow.list({ query, pageSize: PAGE })[Symbol.asyncIterator]();
  const found: WorkflowExecutionInfo[] = [];
  try {
    for (;;) {
      // Each page has a deadline of its own.
      const next = await temporal.call(() => pages.next(), signal);
      if (next.done === true) return found;
      found.push(next.value);
    }
  } catch (error) {
    throw signal?.aborted ? signal.reason : fromService(error, temporal.address);
  }
}

/** What Temporal's listing shows, the newest first. @throws DevloopError `TEMPORAL_UNREACHABLE`, `CONFIG_INVALID` */
export async function listWorkflows(
  temporal: Temporal,
  query: string,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<WorkflowExecutionInfo[]> {
  try {
    return await temporal.call(async () => {
      const found: WorkflowExecutionInfo[] = [];
      for await (const info of temporal.client.workflow.list({ query, pageSize: limit })) {
        found.push(info);
        if (found.length >= limit) break;
      }
      return found;
    }, signal);
  } catch (error) {
    throw signal?.aborted ? signal.reason : fromService(error, temporal.address);
  }
}

export function jobState(status: string): JobPhase {
  switch (status) {
    case 'COMPLETED':
      return 'done';
    case 'CANCELLED':
      return 'cancelled';
    case 'RUNNING':
    case 'CONTINUED_AS_NEW':
    case 'PAUSED':
      return 'running';
    default:
      return 'failed';
  }
}
