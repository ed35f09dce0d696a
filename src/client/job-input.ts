import { defaultPayloadConverter } from '@temporalio/client';
import { agentJobInputSchema, jobWorkflowId, parseMessage, type AgentJobSpec } from '../contract/index.js';
import type { Temporal } from './temporal.js';

/** What a job was started with: the first event of its history. */
export async function jobInput(temporal: Temporal, jobId: string, signal?: AbortSignal): Promise<AgentJobSpec> {
  const { workflowService } = temporal.client;
  const { history } = await temporal.call(
    () =>
      workflowService.getWorkflowExecutionHistory({
        namespace: temporal.namespace,
        execution: { workflowId: jobWorkflowId(jobId) },
        maximumPageSize: 1,
      }),
    signal,
  );
  const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  const value: unknown = payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
  return parseMessage(agentJobInputSchema, value, `input of job ${jobId}`);
}
