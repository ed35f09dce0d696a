import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { runState, sessionStartOptions } from '../client/internal.js';
import { MAX_LABEL_CHARACTERS, SESSION_SIGNALS, WORKFLOW_TYPES, type AcquireLease } from '../contract/index.js';
import type { PodDependencies } from './pod-dependencies.js';
import type { AcquireLeaseInput, HolderState, WaitingHolder } from './types.js';

export interface SessionActivities {
  /** Asks a session for a lease and starts the session if it does not run. The answer comes as a signal. */
  acquireLease: (input: AcquireLeaseInput) => Promise<void>;
  /** Only NotFound and an ended run mean `gone`; every other trouble is `unknown`. */
  describeHolders: (holders: readonly WaitingHolder[]) => Promise<readonly HolderState[]>;
}

export function createSessionActivities(client: Client): SessionActivities {
  return {
    async acquireLease({ session, sessionOptions, wants, project, leaseId, holder, label }) {
      // The session drops a malformed request without an answer, and the rest of the label is for people only.
      const lease: AcquireLease = { leaseId, holder, project, label: label.slice(0, MAX_LABEL_CHARACTERS), wants };
      const startedBy = holder.workflowId ?? 'unknown';
      const options = sessionStartOptions({ ...sessionOptions, session, project, startedBy });
      await client.workflow.signalWithStart(WORKFLOW_TYPES.podSession, {
        ...options,
        signal: SESSION_SIGNALS.acquireLease,
        signalArgs: [lease],
      });
    },
    describeHolders: (holders) => Promise.all(holders.map((waiting) => describeHolder(client, waiting))),
  };
}

async function describeHolder(client: Client, { leaseId, holder }: WaitingHolder): Promise<HolderState> {
  if (holder.workflowId === undefined) return { leaseId, state: 'unknown' };
  try {
    const { status, raw } = await client.workflow.getHandle(holder.workflowId).describe();
    const firstRunId = raw.workflowExecutionInfo?.firstRunId;
    const isSameRun = holder.firstRunId === undefined || !firstRunId || firstRunId === holder.firstRunId;
    return { leaseId, state: isSameRun ? runState(status.name) : 'gone' };
  } catch (error) {
    return { leaseId, state: error instanceof WorkflowNotFoundError ? 'gone' : 'unknown' };
  }
}

/** Asks Temporal at every call: a run that was reset, terminated or has ended must not act on anything any more. */
export function currentRunCheck(client: Client): PodDependencies['isCurrentRun'] {
  return async ({ workflowId, runId }) => {
    try {
      const newest = await client.workflow.getHandle(workflowId).describe();
      return newest.runId === runId && newest.status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  };
}
