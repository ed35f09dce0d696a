import { sweepReportSchema, WORKFLOW_TYPES, type SweepReport } from '../contract/index.js';
import { toDevloopError, type FailureMeaning } from './failures.js';
import type { Temporal } from './temporal.js';
import { listWorkflows } from './visibility.js';

/** A round fails rarely: what a few rounds do not tell is not known. */
const ROUNDS = 10;
const MEANING: FailureMeaning = {
  subject: "the reaper's round",
  notFound: 'UNEXPECTED',
  failed: 'UNEXPECTED',
  cancelled: 'UNEXPECTED',
};

export interface ReaperRounds {
  /** Of the newest round that could read RunPod's list. */
  readonly sweep: SweepReport | undefined;
  /** The newest round, when it failed: since then nothing is known. */
  readonly failure: { readonly at: string; readonly message: string } | undefined;
}

/** What the reaper has found, read from the results of its rounds; one that goes on tells nothing yet. */
export async function reaperRounds(temporal: Temporal, signal?: AbortSignal): Promise<ReaperRounds> {
  const query = `WorkflowType = '${WORKFLOW_TYPES.podReaper}' AND ExecutionStatus != 'Running'`;
  const rounds = await listWorkflows(temporal, query, ROUNDS, signal);
  let failure: ReaperRounds['failure'];
  for (const { workflowId, runId, status, startTime, closeTime } of rounds) {
    const at = (closeTime ?? startTime).toISOString();
    if (status.name !== 'COMPLETED') {
      failure ??= { at, message: await failureOf(temporal, workflowId, runId, signal) };
      continue;
    }
    const handle = temporal.client.workflow.getHandle(workflowId, runId);
    const report = sweepReportSchema.safeParse(await temporal.call(() => handle.result() as Promise<unknown>, signal));
    if (report.success) return { sweep: report.data, failure };
    failure ??= { at, message: 'its report cannot be read: the worker has another version' };
  }
  return { sweep: undefined, failure };
}

/** The words of whatever ended the round. */
async function failureOf(temporal: Temporal, workflowId: string, runId: string, signal?: AbortSignal): Promise<string> {
  try {
    await temporal.call(() => temporal.client.workflow.getHandle(workflowId, runId).result(), signal);
    return 'it did not complete';
  } catch (error) {
    signal?.throwIfAborted();
    const { code, message } = toDevloopError(error, temporal.address, MEANING);
    if (code === 'TEMPORAL_UNREACHABLE') throw error;
    return message;
  }
}
