import { WorkflowNotFoundError, type Client, type WorkflowExecutionStatusName } from '@temporalio/client';
import { sessionWorkflowId, type PodNameParts, type SessionLook } from '../contract/index.js';
import { listedAttributes } from './search-attributes.js';

export type LookAtSessions = (names: readonly PodNameParts[]) => Promise<(name: PodNameParts) => SessionLook>;

/**
 * Whether the sessions behind pods run, and with which pod. Describes each session once and queries none: a workflow that
 * is stuck on a bad deploy answers no query, and its pod is judged all the same.
 */
export function lookAtSessions(client: Client): LookAtSessions {
  return async (names) => {
    const sessions = [...new Set(names.map(({ session }) => session))];
    const looks = new Map(
      await Promise.all(sessions.map(async (session) => [session, await describe(client, session)] as const)),
    );
    return ({ session, firstRunId }) => {
      const seen = looks.get(session);
      if (seen?.state !== 'running') return { state: seen?.state ?? 'unknown' };
      return seen.firstRunId === firstRunId ? { state: 'running', podId: seen.podId } : { state: 'gone' };
    };
  };
}

type Described =
  | { readonly state: 'running'; readonly firstRunId: string; readonly podId: string | undefined }
  | { readonly state: 'gone' | 'unknown' };

async function describe(client: Client, session: string): Promise<Described> {
  try {
    const handle = client.workflow.getHandle(sessionWorkflowId(session));
    const { status, raw, typedSearchAttributes } = await handle.describe();
    const state = runState(status.name);
    if (state !== 'running') return { state };
    const firstRunId = raw.workflowExecutionInfo?.firstRunId;
    // A server that does not tell the first run leaves open whose pod it is.
    return firstRunId
      ? { state, firstRunId, podId: listedAttributes(typedSearchAttributes).podId }
      : { state: 'unknown' };
  } catch (error) {
    return { state: error instanceof WorkflowNotFoundError ? 'gone' : 'unknown' };
  }
}

/** A status that we do not know, and one between two runs, is no end. */
export function runState(status: WorkflowExecutionStatusName): 'running' | 'gone' | 'unknown' {
  switch (status) {
    case 'RUNNING':
      return 'running';
    case 'COMPLETED':
    case 'FAILED':
    case 'CANCELLED':
    case 'TERMINATED':
    case 'TIMED_OUT':
      return 'gone';
    default:
      return 'unknown';
  }
}
