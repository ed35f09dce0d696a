import { activityInfo } from '@temporalio/activity';
import { isSameAttempt, parsePodName, podNamePrefix, type PodSessionSpec } from '../contract/index.js';
import {
  buildPodSpec,
  gateToken,
  GRACE_SECONDS,
  isAlive,
  isRunPodError,
  nothingWasCreated,
  passedOverText,
  RunPodError,
  type CreatePodSpec,
  type PassedOver,
  type Pod,
} from '../runpod/index.js';
import { withinAccountCap } from './account-cap.js';
import { finalFailure, retryableFailure, runPodFailure } from './failures.js';
import { withHeart, type Heart } from './heart.js';
import type { PodDependencies } from './pod-dependencies.js';
import type { SessionPlan, StartedPod, StartPodInput, StartPodResult } from './types.js';

/** After an ambiguous create the pod is looked for this often: it may appear in the list late. */
const LOOKS_AFTER_AMBIGUOUS = 4;
const LOOK_EVERY_MS = 2_000;

/** What one attempt does, and what it may have left behind. */
interface Attempt {
  readonly deps: PodDependencies;
  readonly input: StartPodInput;
  readonly heart: Heart;
  readonly signal: AbortSignal;
  /** No pod of this name can exist: only a first attempt knows that no other one has created anything. */
  nothingCreated: boolean;
  /** GPUs of the session that were not or could not be rented. */
  passedOver: readonly PassedOver[];
}

/**
 * Rents one pod under the given name, or adopts the one that an earlier attempt made. A create is never repeated blindly.
 * @throws NO_CAPACITY, ACCOUNT_CAP, NO_BALANCE, RUNPOD_UNAUTHORIZED, RUNPOD_REFUSED, BOOT_FAILED for good; everything else is tried again
 */
export function startPod(deps: PodDependencies, input: StartPodInput): Promise<StartPodResult> {
  return withHeart(deps, async (heart, signal) => {
    const passedOver = input.plan.passedOver ?? [];
    // One attempt sends at most one create that may have worked without saying so, and adopts what came of it.
    const isLater = activityInfo().attempt > 1;
    const attempt: Attempt = { deps, input, heart, signal, nothingCreated: !isLater, passedOver };
    const goneLeaseIds = await goneHolders(deps, input);
    const nobodyLeft = input.onlyForJobs && goneLeaseIds.length === input.waiting.length;
    try {
      const { adopted, pods } = await adopt(attempt);
      const result = { goneLeaseIds, ...(isLater && { mayHaveMore: true }) };
      if (adopted) return { pod: adopted, ...result };
      if (nobodyLeft) return result;
      return { pod: await create(attempt, pods), ...result };
    } catch (error) {
      // Cancelled before anything was asked for: saying so spares the session a minute of looking for a pod.
      if (signal.aborted && attempt.nothingCreated) return { goneLeaseIds };
      if (!isRunPodError(error) || !nothingWasCreated(error)) throw error;
      throw runPodFailure(error, deps.clock(), { nothingCreated: attempt.nothingCreated });
    }
  });
}

async function goneHolders(deps: PodDependencies, { waiting }: StartPodInput): Promise<string[]> {
  if (waiting.length === 0) return [];
  const holders = await deps.describeHolders(waiting.filter(({ holder }) => holder.kind === 'workflow'));
  return holders.filter(({ state }) => state === 'gone').map(({ leaseId }) => leaseId);
}

/**
 * The oldest living pod of this name becomes ours, whatever deadline its name says; surplus ones end at once.
 * @returns with it all pods of the account, as they were listed
 */
async function adopt(attempt: Attempt): Promise<{ adopted: StartedPod | undefined; pods: readonly Pod[] }> {
  const { deps, input, signal } = attempt;
  const wanted = parsePodName(input.podName);
  const { pods } = await deps.runpod.listPods({ signal, begunAfter: deps.clock() });
  const ours = pods.filter((pod) => {
    const parts = parsePodName(pod.name);
    return isAlive(pod) && parts !== undefined && wanted !== undefined && isSameAttempt(parts, wanted);
  });
  if (ours.length > 0) attempt.nothingCreated = false;
  const [oldest, ...surplus] = ours.sort((a, b) => (a.createdAt ?? '').localeCompare(b.createdAt ?? ''));
  for (const pod of surplus) await deps.runpod.terminatePod(pod.id, { signal });
  return { adopted: oldest && startedPod(attempt, oldest), pods };
}

/** @param pods of the account, listed just before: what the operator's caps on the account look at */
async function create(attempt: Attempt, pods: readonly Pod[]): Promise<StartedPod> {
  const { deps, input, heart, signal, nothingCreated } = attempt;
  const wanted = parsePodName(input.podName);
  // What this session has given up is being ended: it takes nobody's place.
  const others = wanted ? pods.filter(({ name }) => !name.startsWith(podNamePrefix(wanted))) : pods;
  const room = withinAccountCap(others, input.plan.candidates, deps.caps, nothingCreated);
  attempt.passedOver = [...attempt.passedOver, ...room.passedOver];
  // Asked last, after any wait for the quota: meanwhile the session may have been reset or terminated, or this process
  // may have been frozen, and must not send the request any more.
  const beforeSend = async (): Promise<void> => {
    await assertCurrentRun(deps);
    heart.assertAlive();
    // Every killer on the pod would come too late.
    if (deps.clock() >= input.plan.hardDeadlineMs) {
      const message = 'The hard deadline passed before RunPod gave a pod. Raise maxLifetimeSeconds or maxCostUsd.';
      throw finalFailure('BOOT_FAILED', message, { nothingCreated });
    }
  };
  for (const candidate of room.candidates) {
    const passedOver = reasonsBefore(attempt, candidate.gpu);
    heart.tell({ step: 'creating', gpu: candidate.gpu, ...(passedOver.length > 0 && { passedOver }) });
    signal.throwIfAborted();
    try {
      const pod = await deps.runpod.createPod(createRequest(deps, input, candidate.gpu), { signal, beforeSend });
      return startedPod(attempt, pod, candidate.costPerHourUsd);
    } catch (error) {
      if (!isRunPodError(error)) throw error;
      if (error.kind === 'ambiguous') return await find(attempt, error.message);
      if (error.kind !== 'no-capacity') throw error;
      const reason = `${error.detail.replace(/\.$/, '')}${candidate.outOfStock ? " (RunPod's catalog had said so: stock NONE)" : ''}`;
      attempt.passedOver = [...attempt.passedOver, { gpu: candidate.gpu, reason }];
    }
  }
  const reasons = passedOverText(inOrder(attempt));
  const message = `No capacity at RunPod. ${reasons}. Name more GPUs, another cloud, or try again later.`;
  throw finalFailure('NO_CAPACITY', message, { nothingCreated });
}

/** A run learns of its own end only by its next heartbeat, and the run that replaced it by a reset rents for itself. */
async function assertCurrentRun(deps: PodDependencies): Promise<void> {
  const run = activityInfo().workflowExecution;
  const refuse = (detail: string): never => {
    throw new RunPodError({ kind: 'nothing-created', operation: 'create-pod', detail });
  };
  if (!run) return;
  const isCurrent = await deps
    .isCurrentRun(run)
    .catch(() => refuse('Temporal did not say whether the session still runs; nothing was rented'));
  if (!isCurrent) refuse('the session was reset or has ended; nothing was rented');
}

async function find(attempt: Attempt, why: string): Promise<StartedPod> {
  attempt.nothingCreated = false;
  for (let look = 0; look < LOOKS_AFTER_AMBIGUOUS; look++) {
    await attempt.deps.sleep(LOOK_EVERY_MS, attempt.signal);
    const { adopted } = await adopt(attempt);
    if (adopted) return adopted;
  }
  throw retryableFailure(
    'RUNPOD_UNREACHABLE',
    `${why}; no pod of this name is in RunPod's list, so it is asked for again`,
  );
}

/** In the session's order of preference. */
function inOrder({ input, passedOver }: Attempt): PassedOver[] {
  const place = (gpu: string): number => input.spec.gpus.indexOf(gpu);
  return [...passedOver].sort((a, b) => place(a.gpu) - place(b.gpu));
}

/** Why the GPUs were not taken that the session prefers to this one. */
function reasonsBefore(attempt: Attempt, gpu: string): string[] {
  const { gpus } = attempt.input.spec;
  const before = gpus.includes(gpu) ? gpus.slice(0, gpus.indexOf(gpu)) : gpus;
  return inOrder(attempt)
    .filter((passed) => before.includes(passed.gpu))
    .map((passed) => passedOverText([passed]));
}

function startedPod(attempt: Attempt, pod: Pod, priceUsd?: number): StartedPod {
  const { deps, input } = attempt;
  const { plan } = input;
  const gpu = pod.gpu?.id ?? plan.candidates[0]?.gpu ?? 'unknown';
  const planned = priceUsd ?? plan.candidates.find((candidate) => candidate.gpu === gpu)?.costPerHourUsd ?? 0;
  const passedOver = reasonsBefore(attempt, gpu);
  return {
    id: pod.id,
    name: pod.name,
    gpu,
    // RunPod says 0 for a pod that is stopped; that is not its price.
    costPerHourUsd: pod.costPerHourUsd !== undefined && pod.costPerHourUsd > 0 ? pod.costPerHourUsd : planned,
    createdAt: pod.createdAt ?? new Date(deps.clock()).toISOString(),
    ...(passedOver.length > 0 && { passedOver }),
  };
}

function createRequest(deps: PodDependencies, { podName, spec, plan }: StartPodInput, gpuId: string): CreatePodSpec {
  const { gpuCount, cloud, templateId, diskGb, dataCenterIds, networkVolumeId } = spec;
  const env = podEnvironment(deps, podName, spec, plan);
  const { image, api } = plan;
  const { scripts } = deps;
  return buildPodSpec({
    podName,
    gpuId,
    gpuCount,
    cloud,
    image,
    templateId,
    diskGb,
    dataCenterIds,
    networkVolumeId,
    api,
    env,
    scripts,
  });
}

/** Every deadline is on the pod before the pod is: its own killers need nothing of ours. */
function podEnvironment(
  deps: PodDependencies,
  podName: string,
  spec: PodSessionSpec,
  plan: SessionPlan,
): Record<string, string> {
  const nowSeconds = Math.floor(deps.clock() / 1000);
  // Shells reckon in whole numbers only.
  const readyTimeoutSeconds = Math.ceil(spec.readyTimeoutSeconds);
  const hardDeadlineSeconds = Math.floor(plan.hardDeadlineMs / 1000);
  return {
    DEVLOOP_POD_NAME: podName,
    DEVLOOP_CREATED: String(nowSeconds),
    DEVLOOP_READY_BY: String(Math.min(nowSeconds + readyTimeoutSeconds, hardDeadlineSeconds)),
    DEVLOOP_IDLE_SECONDS: String(Math.ceil(spec.idleTimeoutSeconds)),
    DEVLOOP_GRACE_SECONDS: String(GRACE_SECONDS),
    DEVLOOP_HARD_DEADLINE: String(hardDeadlineSeconds),
    DEVLOOP_MODEL: plan.model,
    ...(plan.modelFile === undefined ? {} : { DEVLOOP_MODEL_FILE: plan.modelFile }),
    DEVLOOP_API: plan.api,
    DEVLOOP_GATE_TOKEN: gateToken(deps.gateSecrets[0], podName),
    DEVLOOP_MAX_PARALLEL: String(spec.maxConcurrentLeases),
  };
}
