import type { WorkflowStartOptions } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes, type SearchAttributePair } from '@temporalio/common';
import {
  jobWorkflowId,
  SEARCH_ATTRIBUTES,
  sessionWorkflowId,
  TASK_QUEUES,
  type AgentJobInput,
  type PodSessionInput,
} from '../contract/index.js';

const sessionKey = defineSearchAttributeKey('DevloopSession', SEARCH_ATTRIBUTES.DevloopSession);
const projectKey = defineSearchAttributeKey('DevloopProject', SEARCH_ATTRIBUTES.DevloopProject);
const phaseKey = defineSearchAttributeKey('DevloopPhase', SEARCH_ATTRIBUTES.DevloopPhase);

/**
 * How a PodSession is started, whoever starts it: the id is free again once a session ended.
 * No run or execution timeout: Temporal would end the workflow without running its cleanup.
 */
export function sessionStartOptions(input: PodSessionInput): WorkflowStartOptions {
  return {
    taskQueue: TASK_QUEUES.control,
    workflowId: sessionWorkflowId(input.session),
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `GPU session ${input.session}`,
    typedSearchAttributes: searchAttributes(input.session, input.project, 'creating'),
  };
}

/** How an AgentJob is started: its id is never used twice, so that repeating a submit is safe. */
export function jobStartOptions(input: AgentJobInput, jobId: string): WorkflowStartOptions {
  const session = input.session ?? 'default';
  return {
    taskQueue: TASK_QUEUES.control,
    workflowId: jobWorkflowId(jobId),
    args: [input],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `Agent ${input.agent ?? 'chat'} on session ${session}`,
    typedSearchAttributes: searchAttributes(session, input.project),
  };
}

function searchAttributes(session: string, project: string | undefined, phase?: string): TypedSearchAttributes {
  const pairs: SearchAttributePair[] = [{ key: sessionKey, value: session }];
  if (phase !== undefined) pairs.push({ key: phaseKey, value: phase });
  if (project !== undefined) pairs.push({ key: projectKey, value: project });
  return new TypedSearchAttributes(pairs);
}

/** Search attributes as a listing shows them. */
export interface ListedAttributes {
  readonly session: string | undefined;
  readonly project: string | undefined;
  readonly phase: string | undefined;
}

export function listedAttributes(attributes: TypedSearchAttributes): ListedAttributes {
  return {
    session: attributes.get(sessionKey),
    project: attributes.get(projectKey),
    phase: attributes.get(phaseKey),
  };
}
