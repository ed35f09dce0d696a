import {
  ActivityCancellationType,
  ApplicationFailure,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { AgentActivities } from '../../activities/agents.js';
import type { SessionActivities } from '../../activities/sessions.js';
import type { AgentAnswer } from '../../activities/types.js';
import { MAX_PROBLEM_CHARACTERS, sessionWorkflowId, TASK_QUEUES, type Grant } from '../../contract/index.js';
import { failureOf } from '../failures.js';
import { releaseLeaseSignal, reportPodSignal } from '../pod-session/messages.js';
import type { JobState } from './job-state.js';
import { untilRevoked } from './until-revoked.js';

/** A lost request or a session that ended meanwhile costs a job at most this much waiting. */
const REPEAT_ACQUIRE_MS = 60_000;
/** A session that is closing needs this long to be out of the way. */
const AFTER_REVOKE_MS = 2_000;
/** One that is stuck takes hours: every question grows its history, and a server ends what grows too long. */
const REFUSED_SHARE = 0.25;
/** How long the session may take to find out whether the reported pod is lost. */
const REPORT_ANSWER_MS = 30_000;

/** @returns the grant; `refused` when asking again cannot help; undefined when the job's time is over */
export async function waitForLease(state: JobState): Promise<Grant | 'refused' | undefined> {
  let refusedSinceMs: number | undefined;
  for (;;) {
    if (state.grant) return state.grant;
    if (state.revoked?.final) return 'refused';
    const remainingMs = state.remainingMs(Date.now());
    if (remainingMs === 0) return undefined;
    if (state.revoked) {
      state.revoked = undefined;
      refusedSinceMs ??= Date.now();
      await sleep(Math.min(pauseMs(Date.now() - refusedSinceMs), remainingMs), { summary: 'let the session close' });
    } else {
      refusedSinceMs = undefined;
    }
    await requestLease(state);
    const waitMs = Math.min(REPEAT_ACQUIRE_MS, state.remainingMs(Date.now()));
    await condition(() => state.grant !== undefined || state.revoked !== undefined, Math.max(1, waitMs), {
      summary: 'the session grants a lease',
    });
  }
}

function pauseMs(refusedForMs: number): number {
  return Math.min(Math.max(AFTER_REVOKE_MS, Math.round(refusedForMs * REFUSED_SHARE)), REPEAT_ACQUIRE_MS);
}

async function requestLease(state: JobState): Promise<void> {
  const { acquireLease } = proxyActivities<SessionActivities>({
    taskQueue: TASK_QUEUES.control,
    startToCloseTimeout: '20 seconds',
    scheduleToCloseTimeout: Math.max(1000, state.remainingMs(Date.now())),
    retry: { maximumInterval: '10 seconds' },
    summary: `ask session ${state.spec.session} for a lease, start it if need be`,
  });
  const { session, sessionOptions, project } = state.spec;
  const { workflowId, firstExecutionRunId: firstRunId } = workflowInfo();
  const holder = { kind: 'workflow' as const, workflowId, firstRunId };
  try {
    await acquireLease({
      session,
      sessionOptions,
      wants: state.wants,
      project,
      leaseId: state.leaseId,
      holder,
      label: `${state.user} (${workflowId})`,
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const message = `session ${session} could not be asked for a lease: ${failureOf(error).message}`;
    throw ApplicationFailure.create({ type: 'LEASE_TIMEOUT', message, nonRetryable: true });
  }
}

/** Runs the agent until it answers, fails, or the session takes the lease back. */
export async function runOnPod(state: JobState, grant: Grant): Promise<AgentAnswer | 'revoked'> {
  const { spec } = state;
  const { runAgent } = proxyActivities<AgentActivities>({
    taskQueue: TASK_QUEUES.agents,
    scheduleToCloseTimeout: Math.max(1000, state.remainingMs(Date.now())),
    heartbeatTimeout: '10 seconds',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1 second', maximumInterval: '20 seconds', maximumAttempts: 6 },
    summary: `agent ${spec.agent} on pod ${grant.podId}`,
  });
  const { agent, input, outputSchema, limits } = spec;
  const model = spec.model ?? grant.model;
  const run = await untilRevoked(state, () => runAgent({ grant, agent, input, model, outputSchema, limits }));
  return run === 'revoked' ? run : run.value;
}

export async function reportPod(state: JobState, grant: Grant, problem: string): Promise<void> {
  await tell(state, (session) =>
    session.signal(reportPodSignal, { podId: grant.podId, problem: problem.slice(0, MAX_PROBLEM_CHARACTERS) }),
  );
}

/** Waits whether the session takes the reported pod back, because it is lost. If it does not, the pod lives or the session does not. */
export function isTakenBack(state: JobState, { podId }: Grant): Promise<boolean> {
  const waitMs = Math.min(REPORT_ANSWER_MS, state.remainingMs(Date.now()));
  const isTaken = (): boolean => state.revoked !== undefined || state.grant?.podId !== podId;
  return condition(isTaken, Math.max(1, waitMs), { summary: 'the session looks at the pod' });
}

export async function releaseLease(state: JobState): Promise<void> {
  await tell(state, (session) => session.signal(releaseLeaseSignal, { leaseId: state.leaseId }));
}

type SessionHandle = ReturnType<typeof getExternalWorkflowHandle>;

/** A session that has ended needs no message, and one that takes none any more must not spoil the job's answer. */
async function tell(state: JobState, send: (session: SessionHandle) => Promise<void>): Promise<void> {
  try {
    await send(getExternalWorkflowHandle(sessionWorkflowId(state.spec.session)));
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
  }
}
