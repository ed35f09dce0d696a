import { condition, patched, workflowInfo } from '@temporalio/workflow';
import type { SessionPlan } from '../../activities/types.js';
import { failureOf } from '../failures.js';
import { LazyTimer } from '../lazy-timer.js';
import { checkPod, describeHolders, planSession, pollPod, startPod, stopPod, unlessStopped } from './activity-calls.js';
import { tellWebhook } from '../webhook/tell.js';
import { deliver } from './outbox.js';
import { publish } from './publish.js';
import type { CondemnedPod } from './session-data.js';
import { attemptName } from './session-pods.js';
import type { SessionState } from './session-state.js';

/** RunPod usually answers a create within this. */
const RENT_GRACE_MS = 10_000;
/** Of the 2,000 updates that a server takes in one run. */
const MAX_REQUESTS = 500;

/** Rents pods until one serves, or there is a reason to end. */
export async function providePod(state: SessionState): Promise<void> {
  do {
    endCondemned(state);
    // Who lost a pod hears of it before the next one is granted: the newer word would replace this one.
    await deliver(state);
    state.endIfUnwanted(Date.now());
    if (state.stopRequested) return;
    await rent(state);
    await boot(state);
  } while (state.phase === 'creating' && !state.stopRequested);
}

/** Decides what to rent, then rents it. The pod's name is in history, as the activity's input, before the first call. */
async function rent(state: SessionState): Promise<void> {
  const { data } = state;
  publish(state);
  try {
    // The first attempt's plan holds for all: its hard deadline never moves.
    data.plan ??= await unlessStopped(state, () => makePlan(state));
    const name = attemptName(data);
    if (!data.plan || name === undefined || state.stopRequested) return;
    data.mayHavePod = true;
    const request = {
      spec: data.spec,
      plan: data.plan,
      podName: name,
      waiting: data.queue.map(({ leaseId, holder }) => ({ leaseId, holder })),
      // A further pod is for those who wait, whoever wanted the first one.
      onlyForJobs: data.attempt > 1 || data.spec.startedBy.startsWith('agent-job/'),
    };
    // A rent that was cut off leaves a pod to be searched for; one that ends names it.
    const started = await unlessStopped(state, () => startPod(request), RENT_GRACE_MS);
    if (!started) return;
    const nowMs = Date.now();
    for (const leaseId of started.goneLeaseIds) state.holderGone(leaseId, nowMs);
    const { pod, mayHaveMore } = started;
    if (pod) {
      state.podCreated({ ...pod, mayHaveMore, createdAtMs: Date.parse(pod.createdAt) }, nowMs);
    } else {
      data.mayHavePod = mayHaveMore === true;
      state.requestStop({ kind: 'nobody-left', reason: 'every job that waited for it is gone', atMs: nowMs });
    }
  } catch (error) {
    const failure = failureOf(error, 'RUNPOD_UNREACHABLE');
    if (failure.nothingCreated) data.mayHavePod = false;
    state.requestStop({ kind: 'failed', code: failure.code, reason: failure.message, atMs: Date.now() });
  }
}

/** Waits until the pod serves the model through its gate. */
async function boot(state: SessionState): Promise<void> {
  const { plan, pod, spec } = state.data;
  if (!plan || !pod || state.stopRequested) return;
  publish(state);
  const readyByMs = Math.min(pod.createdAtMs + spec.readyTimeoutSeconds * 1000, state.endDeadline().atMs);
  try {
    const ready = await unlessStopped(state, () => pollPod({ pod, spec, plan, readyByMs }, readyByMs - Date.now()));
    if (!ready) return;
    state.podReady(ready.endpoint, Date.now());
    publish(state);
  } catch (error) {
    const { code, message, worthAnotherPod } = failureOf(error);
    if (worthAnotherPod === true) state.bootFailed(message, code, Date.now());
    else state.requestStop({ kind: 'failed', code, reason: message, atMs: Date.now() });
  }
}

/** Grants leases and watches the deadlines until something ends the session. */
export async function serve(state: SessionState): Promise<'ended' | 'continue-as-new' | 'pod-given-up'> {
  const timer = new LazyTimer('idle time, lease expiry or end of life');
  try {
    for (;;) {
      await deliver(state);
      await checkSuspicion(state);
      if (state.phase === 'creating' && !state.stopRequested) return 'pod-given-up';
      await checkDueHolders(state);
      state.applyDeadlines(Date.now());
      if (state.stopRequested) return 'ended';
      // Whatever arrived while the session looked elsewhere comes first: nothing may be in flight when it continues as new.
      if (state.needsAttention) continue;
      publish(state);
      const isLong = workflowInfo().continueAsNewSuggested || state.requests >= MAX_REQUESTS;
      if (isLong && !state.hasCondemned) return 'continue-as-new';
      timer.arm(state.nextWakeMs());
      await untilAwake(state, timer);
    }
  } finally {
    timer.cancel();
  }
}

async function untilAwake(state: SessionState, timer: LazyTimer): Promise<void> {
  const isDue = (): boolean =>
    timer.fired || state.needsAttention || state.stopRequested || state.nextWakeMs() < timer.armedAtMs;
  // Answering requests makes nothing due, and a server takes only so many of them in one run.
  await condition(() => isDue() || (state.requests >= MAX_REQUESTS && !state.hasCondemned));
  if (!isDue() && !patched('continue-when-asked-often')) await condition(isDue);
}

/** Running work may finish, within bounds; nothing new begins. */
export async function drain(state: SessionState): Promise<void> {
  state.closeQueue();
  const untilMs = state.drainDeadlineMs();
  if (untilMs > Date.now()) {
    state.enter('draining', Date.now());
    publish(state);
    await deliver(state);
    await condition(() => state.data.leases.length === 0 || state.drainDeadlineMs() < untilMs, untilMs - Date.now());
  }
  state.revokeAll(Date.now());
}

/** Ends every pod and does not return before RunPod shows none; earlier only for those who wait while one does not end. */
export async function endPod(state: SessionState): Promise<'ended' | 'reopened'> {
  const { data } = state;
  if (data.mayHavePod && data.plan) {
    state.enter('stopping', Date.now());
    publish(state);
    await deliver(state);
    state.condemnPod(data.stop?.reason ?? 'the session ends', Date.now());
  }
  if (state.wasReset && patched('sweep-after-reset')) await sweepOlder(state);
  endCondemned(state);
  while (state.hasCondemned && !state.reopens) {
    await condition(() => !state.hasCondemned || state.reopens || state.hasOutgoing);
    await deliver(state);
  }
  if (state.hasCondemned) {
    state.reopen(Date.now());
    return 'reopened';
  }
  state.enter('stopped', Date.now());
  // Asking again while the session closes must be answered too: an unanswered job would wait its full minute.
  while (state.hasOutgoing) await deliver(state);
  return 'ended';
}

/** A reset session may be stopped before it knows what it had rented. Its pods bear its names all the same. */
async function sweepOlder(state: SessionState): Promise<void> {
  const { data } = state;
  await deliver(state);
  try {
    data.plan ??= await makePlan(state);
  } catch (error) {
    data.unsettled.push(`pods from before the reset were not looked for: ${failureOf(error).message}`);
    return;
  }
  const { plan: known, spec, firstRunId } = data;
  await stopPod({ owner: known.owner, session: spec.session, firstRunId }, () => undefined);
}

function makePlan({ data: { spec, startedAtMs } }: SessionState): Promise<SessionPlan> {
  return planSession({ spec, startedAtMs });
}

/** Starts to end, beside everything else, what was given up and is not being ended yet. */
function endCondemned(state: SessionState): void {
  for (const condemned of state.takeNewlyCondemned()) void endBeside(state, condemned);
}

async function endBeside(state: SessionState, condemned: CondemnedPod): Promise<void> {
  const { plan, spec, firstRunId } = state.data;
  if (!plan) return;
  const { attempt, podId, mayHaveMore } = condemned;
  const target = { owner: plan.owner, session: spec.session, firstRunId, attempt, podId, mayHaveMore };
  const { endedAt } = await stopPod(target, () => {
    state.condemnedStuck(condemned, Date.now());
    publish(state);
    const pod = { id: podId, name: condemned.name, session: spec.session, why: condemned.lastError };
    if (plan.webhook) void tellWebhook({ event: 'pod.stuck', pod });
  });
  state.condemnedGone(condemned, Date.parse(endedAt), Date.now());
}

async function checkSuspicion(state: SessionState): Promise<void> {
  const suspicion = state.takeSuspicion();
  const { pod, plan } = state.data;
  if (!suspicion || !pod?.endpoint || !plan) return;
  const { endpoint } = pod;
  const check = await unlessStopped(state, () => checkPod({ pod, api: plan.api, endpoint }));
  if (check?.verdict !== 'lost') return;
  if (patched('replace-lost-pod')) state.podLost(check.detail, Date.now());
  else state.requestStop({ kind: 'lost', reason: `the pod was lost: ${check.detail}`, atMs: Date.now() });
}

async function checkDueHolders(state: SessionState): Promise<void> {
  const due = state.dueHolders(Date.now());
  const external = due.filter((lease) => lease.holder.kind === 'external');
  for (const lease of external) state.holderGone(lease.leaseId, Date.now());
  const workflows = due.filter((lease) => lease.holder.kind === 'workflow');
  if (workflows.length === 0) return;
  const holders = await describeHolders(workflows.map(({ leaseId, holder }) => ({ leaseId, holder })));
  for (const { leaseId, state: holderState } of holders) state.holderChecked(leaseId, holderState, Date.now());
}
