import { GATE_PORTS, parsePodName, podNamePrefix } from '../contract/index.js';
import {
  hasFailed,
  GateError,
  isAlive,
  isGateError,
  isRunPodError,
  podEndpoint,
  type DeadmanStatus,
  type Pod,
} from '../runpod/index.js';
import { finalFailure } from './failures.js';
import { withHeart, type Heart } from './heart.js';
import { makeModelReady, type ModelProgress, type ModelTarget } from './model-ready.js';
import { reachGate } from './reach-gate.js';
import type { PodDependencies } from './pod-dependencies.js';
import type { PollPodInput, PollPodResult } from './types.js';

/** The gate is asked this often: readiness must not cost requests to RunPod's API. */
const GATE_EVERY_MS = 500;
/** RunPod's list shows a pod that failed, and latecomers of an ambiguous create. */
const LIST_EVERY_MS = 10_000;
const LOG_LINES = 15;
/** A registry that is out of reach and a page of something in front of the pod are refusals too, and pass. */
const REFUSALS_IN_A_ROW = 3;
const AFTER_REFUSAL_MS = 3_000;

/**
 * Waits until the pod serves its model through the gate, then declares it ready: from then on the idle time rules.
 * @throws BOOT_FAILED with the pod's last log lines, MODEL_NOT_SERVED, GATE_UNAUTHORIZED
 */
export function pollPod(deps: PodDependencies, input: PollPodInput): Promise<PollPodResult> {
  return withHeart(deps, async (heart, signal) => {
    const endpoint = podEndpoint(deps.proxyUrl, input.pod.id, input.plan.api);
    let lastSeen = 'nothing has answered yet';
    let listAtMs = 0;
    let refusals = 0;
    const tell = (progress: ModelProgress): void => {
      lastSeen = `${progress.doing}${progress.percent === undefined ? '' : ` (${progress.percent} %)`}`;
      heart.tell({ step: 'model', ...progress });
    };
    for (;;) {
      if (deps.clock() >= input.readyByMs)
        throw await bootFailure(deps, input, `not ready in time; ${lastSeen}`, signal);
      if (deps.clock() >= listAtMs) {
        await readList(deps, input, heart, signal);
        listAtMs = deps.clock() + LIST_EVERY_MS;
      }
      try {
        await before(deps, input.readyByMs, signal, (inTime) => becomeReady(deps, input, endpoint, tell, inTime));
        return { endpoint };
      } catch (error) {
        if (!isGateError(error)) throw error;
        refusals = error.kind === 'refused' ? refusals + 1 : 0;
        if (error.kind === 'unauthorized') throw wrongSecret(error);
        if (refusals >= REFUSALS_IN_A_ROW) throw await notServed(deps, input, error, signal);
        if (error.kind !== 'aborted') lastSeen = error.message;
        heart.tell({ step: 'waiting for the gate', lastSeen });
      }
      await deps.sleep(refusals > 0 ? AFTER_REFUSAL_MS : GATE_EVERY_MS, signal);
    }
  });
}

async function becomeReady(
  deps: PodDependencies,
  { pod, spec, plan }: PollPodInput,
  endpoint: string,
  tell: (progress: ModelProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const { gate, status } = await reachGate(deps, endpoint, pod.name, signal);
  if (status.gpuCount < spec.gpuCount) {
    const message = `the pod has ${status.gpuCount} GPUs, ${spec.gpuCount} were rented: RunPod gave a host without free ones`;
    throw finalFailure('BOOT_FAILED', message, { worthAnotherPod: true });
  }
  if (spec.guard === 'deadman') requireArmed(pod, status.deadman);
  const target: ModelTarget = {
    api: plan.api,
    model: plan.model,
    fromFile: status.modelFile,
    gpuVisible: status.gpuVisible,
  };
  await makeModelReady(gate, target, tell, signal);
  await gate.touch({ ready: true, signal });
}

/** A pod that nobody but us can end is not served: we may be gone when its time has come. */
function requireArmed(pod: PollPodInput['pod'], { state, problem }: DeadmanStatus): void {
  if (state === 'armed') return;
  if (state === 'absent') {
    const wayOut = 'Use an image or template with the current pod scripts, or accept that with guard "none".';
    throw finalFailure('BOOT_FAILED', `guard: pod ${pod.id} has no dead-man's switch. ${wayOut}`);
  }
  const detail = `its dead-man's switch is not armed${problem ? `: ${problem}` : ' yet'}`;
  throw new GateError(pod.id, { kind: 'not-up', detail });
}

/** Work that is given up at that moment: a download may take for ever. */
async function before<T>(
  { clock, sleep }: PodDependencies,
  atMs: number,
  signal: AbortSignal,
  work: (inTime: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const done = new AbortController();
  sleep(Math.max(0, atMs - clock()), done.signal).then(
    () => {
      late.abort();
    },
    () => undefined,
  );
  try {
    return await work(AbortSignal.any([signal, late.signal]));
  } finally {
    done.abort();
  }
}

/** Ends a boot that RunPod shows as failed, and the latecomers of an ambiguous create. */
async function readList(deps: PodDependencies, input: PollPodInput, heart: Heart, signal: AbortSignal): Promise<void> {
  // One that another boot has just read will do: twenty boots must not cost twenty listings.
  const begunAfter = deps.clock() - LIST_EVERY_MS;
  const listing = await unlessRunPodFails(() => deps.runpod.listPods({ signal, begunAfter }));
  if (!listing) return;
  const ours = listing.pods.find(({ id }) => id === input.pod.id);
  heart.tell({ step: 'waiting for the pod', status: ours?.status ?? 'not listed' });
  if (ours && (hasFailed(ours) || !isAlive(ours))) {
    throw await bootFailure(deps, input, `RunPod shows the pod as ${ours.status}`, signal);
  }
  const parts = parsePodName(input.pod.name);
  if (!parts) return;
  const isLatecomer = ({ id, name }: Pod): boolean => id !== input.pod.id && name.startsWith(podNamePrefix(parts));
  for (const late of listing.pods.filter((pod) => isAlive(pod) && isLatecomer(pod))) {
    await unlessRunPodFails(() => deps.runpod.terminatePod(late.id, { signal }));
  }
}

/** What RunPod does not answer says nothing about the pod: the gate is asked all the same, and RunPod again later. */
async function unlessRunPodFails<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!isRunPodError(error) || error.kind === 'aborted') throw error;
    return undefined;
  }
}

function wrongSecret({ message }: GateError): Error {
  const cause = "This worker's DEVLOOP_GATE_SECRET is not the one that the pod was rented with.";
  return finalFailure('GATE_UNAUTHORIZED', `${message}. ${cause}`);
}

async function notServed(
  deps: PodDependencies,
  input: PollPodInput,
  { message }: GateError,
  signal: AbortSignal,
): Promise<Error> {
  const lines = await logLines(deps, input.pod.id, signal);
  const problem = `model: the pod cannot serve "${input.plan.model}": ${message}. Check the name.${lines}`;
  return finalFailure('MODEL_NOT_SERVED', problem);
}

async function bootFailure(
  deps: PodDependencies,
  input: PollPodInput,
  problem: string,
  signal: AbortSignal,
): Promise<Error> {
  const lines = await logLines(deps, input.pod.id, signal);
  const message = `pod ${input.pod.id} on port ${GATE_PORTS[input.plan.api]}: ${problem}.${lines}`;
  return finalFailure('BOOT_FAILED', message, { worthAnotherPod: true });
}

/** The log is a help, not a condition. */
async function logLines(deps: PodDependencies, podId: string, signal: AbortSignal): Promise<string> {
  const lines = await unlessRunPodFails(() => deps.runpod.podLogs(podId, { signal, tail: LOG_LINES }));
  return lines && lines.length > 0 ? ` Last lines of its log:\n${lines.join('\n')}` : '';
}
