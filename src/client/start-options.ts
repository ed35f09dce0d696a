import type { WorkflowStartOptions } from '@temporalio/client';
import {
  jobWorkflowId,
  sessionWorkflowId,
  TASK_QUEUES,
  type AgentJobInput,
  type PodSessionInput,
} from '../contract/index.js';
import { startAttributes } from './search-attributes.js';

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
    typedSearchAttributes: startAttributes(input.session, input.project, 'creating'),
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
    typedSearchAttributes: startAttributes(session, input.project),
  };
}
