import type { Connection } from '@temporalio/client';
import { WORKFLOW_TYPES } from '../contract/index.js';
import { NAMESPACE } from './child-environment.js';
import { livingClients } from './clients.js';
import { livingPods } from './emulator-server.js';
import type { StackInfo } from './stack-types.js';

const CALL_DEADLINE_MS = 5000;
/** temporal.api.enums.v1.WorkflowExecutionStatus WORKFLOW_EXECUTION_STATUS_RUNNING */
const RUNNING = 1;

/** A job counts as well: it waits for a session, or starts one. */
const OPEN_WORKFLOWS = `ExecutionStatus = "Running" AND WorkflowType IN ("${WORKFLOW_TYPES.podSession}", "${WORKFLOW_TYPES.agentJob}")`;

export interface UsedStack {
  readonly dataDir: string;
  /** Undefined when Temporal does not answer. */
  readonly connection: Connection | undefined;
  readonly stack: StackInfo;
}

/**
 * Somebody or something still needs the stack. While Temporal cannot be asked, a pod of the emulator that lives stands for
 * its session: unknown is not unused. With neither to be asked there is nothing left to wait for.
 *
 * Pods of a real account do not end with their stack, so while Temporal cannot be asked any of them may live. A stack whose
 * Temporal or worker has ended can end no pod any more: the next one can, from the same database, and this one must not
 * stand in its way.
 */
export async function isUsed({ dataDir, connection, stack }: UsedStack): Promise<boolean> {
  if (livingClients(dataDir).length > 0) return true;
  if (stack.runpod === 'account' && stack.died.length > 0) return false;
  const open = connection && (await hasOpenWorkflow(connection).catch(() => undefined));
  if (open !== undefined || stack.runpod === 'account') return open ?? true;
  return ((await livingPods(stack.emulatorUrl)) ?? 0) > 0;
}

/** Visibility may show a workflow as running for a moment after its end, so each is looked at itself. */
async function hasOpenWorkflow(connection: Connection): Promise<boolean> {
  return connection.withDeadline(Date.now() + CALL_DEADLINE_MS, async () => {
    const { executions } = await connection.workflowService.listWorkflowExecutions({
      namespace: NAMESPACE,
      query: OPEN_WORKFLOWS,
      pageSize: 20,
    });
    for (const { execution } of executions) {
      const described = await connection.workflowService.describeWorkflowExecution({ namespace: NAMESPACE, execution });
      if (Number(described.workflowExecutionInfo?.status) === RUNNING) return true;
    }
    return false;
  });
}
