/** Names that other programs rely on. They change only with a new contract version. */

/** Workflows and short control activities, pod polling and model calls have slots of their own: a stop never waits behind jobs. */
export const TASK_QUEUES = { control: 'devloop', poll: 'devloop-poll', agents: 'devloop-agents' } as const;

export const WORKFLOW_TYPES = {
  podSession: 'PodSession',
  agentJob: 'AgentJob',
  podReaper: 'PodReaper',
  webhook: 'Webhook',
} as const;

export const SESSION_SIGNALS = {
  acquireLease: 'acquireLease',
  renewLease: 'renewLease',
  releaseLease: 'releaseLease',
  reportPod: 'reportPod',
  stop: 'stop',
} as const;

/** The update by which a program outside Temporal asks for a lease, and is answered. */
export const REQUEST_LEASE_UPDATE = 'requestLease';

export const JOB_SIGNALS = { leaseGranted: 'leaseGranted', leaseRevoked: 'leaseRevoked' } as const;

/** The query of both workflow types; answers `SessionStatus` or `JobStatus`. */
export const STATUS_QUERY = 'status';

/** A session's query; answers the `SessionRecord` so far. Its argument `{at}` is the moment, ISO 8601, up to which living pods count. */
export const RECORD_QUERY = 'record';

/** Visibility keys with Temporal's type names. A key that the namespace does not know fails workflow tasks for ever. */
export const SEARCH_ATTRIBUTES = {
  DevloopSession: 'KEYWORD',
  DevloopProject: 'KEYWORD',
  DevloopPhase: 'KEYWORD',
  DevloopPodId: 'KEYWORD',
  DevloopCostUsd: 'DOUBLE',
} as const;

/** Workflow memo keys. `record` is the session's final `SessionRecord`. */
export const MEMO_KEYS = { record: 'record' } as const;

/** Id of the Schedule that runs `PodReaper`, and of the workflows that it starts. */
export const REAPER_SCHEDULE_ID = 'devloop-reaper';

const SESSION_ID_PREFIX = 'pod-session/';
const JOB_ID_PREFIX = 'agent-job/';

export function sessionWorkflowId(session: string): string {
  return SESSION_ID_PREFIX + session;
}

export function jobWorkflowId(jobId: string): string {
  return JOB_ID_PREFIX + jobId;
}

export function sessionNameOf(workflowId: string): string | undefined {
  return workflowId.startsWith(SESSION_ID_PREFIX) ? workflowId.slice(SESSION_ID_PREFIX.length) : undefined;
}

export function jobIdOf(workflowId: string): string | undefined {
  return workflowId.startsWith(JOB_ID_PREFIX) ? workflowId.slice(JOB_ID_PREFIX.length) : undefined;
}

/** A job's lease id: the same for every repeated acquire of one job, so acquiring is idempotent. */
export function jobLeaseId(workflowId: string, firstRunId: string): string {
  return `${workflowId}/${firstRunId}`;
}
