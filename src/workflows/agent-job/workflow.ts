import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  agentJobInputSchema,
  grantSchema,
  isErrorCode,
  jobLeaseId,
  jsonBytes,
  leaseRevokedSchema,
  MAX_JOB_BYTES,
  sessionWantsSchema,
  type AgentJobInput,
  type AgentJobResult,
  type ErrorCode,
} from '../../contract/index.js';
import { checkedInput, checkedSignal } from '../checked.js';
import { failureOf } from '../failures.js';
import { showAttributes } from '../search-attributes.js';
import { JobState } from './job-state.js';
import { jobStatusQuery, leaseGrantedSignal, leaseRevokedSignal } from './messages.js';
import { requireAllowed, runnerFailureOf, runOnRunner } from './runner-steps.js';
import { isTakenBack, releaseLease, reportPod, runOnPod, waitForLease } from './steps.js';

/** Gets a lease on a session, runs an agent, or another project's runner, against its pod and gives the lease back whatever happens. */
export async function AgentJob(input: AgentJobInput): Promise<AgentJobResult> {
  if (jsonBytes(input ?? null) > MAX_JOB_BYTES)
    throw failure('INPUT_TOO_LARGE', `AgentJob input is over ${MAX_JOB_BYTES} bytes`);
  const spec = checkedInput(agentJobInputSchema, input, 'AgentJob input');
  const { workflowId, firstExecutionRunId } = workflowInfo();
  const wants = sessionWantsSchema.safeParse(input.sessionOptions).data;
  const state = new JobState(spec, jobLeaseId(workflowId, firstExecutionRunId), Date.now(), wants);
  const show = (): void => {
    setCurrentDetails(state.status(Date.now()).why);
  };
  setHandler(
    leaseGrantedSignal,
    checkedSignal(grantSchema, (grant) => {
      state.granted(grant);
      show();
    }),
  );
  setHandler(
    leaseRevokedSignal,
    checkedSignal(leaseRevokedSchema, (revoked) => {
      state.revoke(revoked);
      show();
    }),
  );
  setHandler(jobStatusQuery, () => state.status(Date.now()));
  showAttributes({ DevloopSession: spec.session, DevloopProject: spec.project });
  try {
    if (spec.runner) await requireAllowed(state, spec.runner);
    return await work(state, show);
  } catch (error) {
    state.ended(
      isCancellation(error) ? 'cancelled' : 'failed',
      Date.now(),
      error instanceof Error ? error.message : '',
    );
    throw error;
  } finally {
    // Cancelled or failed, the lease goes back: only a terminated job leaves it to its TTL.
    await CancellationScope.nonCancellable(() => releaseLease(state));
    show();
  }
}

/** Repeats until there is an answer, the job's time is over, or asking again cannot help. */
async function work(state: JobState, show: () => void): Promise<AgentJobResult> {
  for (;;) {
    show();
    const grant = await waitForLease(state);
    if (!grant)
      throw failure('LEASE_TIMEOUT', `no lease on session ${state.spec.session} within ${state.spec.timeoutSeconds} s`);
    if (grant === 'refused')
      throw failure(finalCode(state), `session ${state.spec.session}: ${state.revoked?.reason ?? 'ended'}`);
    state.running(Date.now());
    show();
    try {
      const { runner } = state.spec;
      const run = await (runner ? runOnRunner(state, grant, runner) : runOnPod(state, grant));
      if (run === 'revoked') {
        state.waitingAgain(state.revoked?.reason ?? 'the lease was revoked');
        continue;
      }
      const nowMs = Date.now();
      state.ended('done', nowMs, '');
      const runSeconds = state.runSeconds(nowMs);
      const costUsd = (runSeconds / 3600) * (grant.costPerHourUsd ?? 0);
      return { ...run, podId: grant.podId, waitSeconds: state.waitSeconds(nowMs), runSeconds, costUsd };
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { runner } = state.spec;
      const { code, message, podLost } = runner ? runnerFailureOf(error, runner) : failureOf(error, 'JOB_TIMEOUT');
      if (podLost !== true) throw failure(code, message);
      state.waitingAgain(message);
      // Also by a job that gives up: the session would keep a dead pod for its whole idle time.
      await reportPod(state, grant, message);
      if (!state.mayGoOn) throw failure(code, message);
      const isTaken = await isTakenBack(state, grant);
      const asksAgain = patched('ask-again-after-loss');
      state.podFailed(isTaken || !asksAgain);
      // The session may be gone, and the lease with it; one that lives repeats its grant.
      if (asksAgain) state.forgetGrant(grant);
    }
  }
}

function finalCode(state: JobState): ErrorCode {
  const code = state.revoked?.code;
  return isErrorCode(code) ? code : 'LEASE_REVOKED';
}

function failure(type: ErrorCode, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}
