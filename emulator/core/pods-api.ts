import type { FaultTarget } from './faults.js';
import type { Strike } from './fault-kinds.js';
import { createPod, noBalance, noCapacity, balanceLeftUsd } from './create-pod.js';
import { answer, noContent, Problem, type CoreReply } from './http.js';
import { restartPod, startPod, stopPod, terminatePod } from './lifecycle.js';
import { page } from './paging.js';
import { isAlive, legalActions, type Destiny, type PodAction, type PodRecord } from './pod.js';
import { podView } from './pod-view.js';
import { createPodSchema, podActionSchema, validated } from './schemas.js';
import type { World } from './world.js';

/** One call on pods: what it is about, as faults see it, and when. */
export interface PodCall {
  readonly world: World;
  readonly target: FaultTarget;
  readonly nowMs: number;
}

/** How long a pod is hidden, or shown too long, by a fault that does not say. */
const defaultFaultSeconds = 5;

const untilMs = (strike: Strike, nowMs: number): number => nowMs + (strike.seconds ?? defaultFaultSeconds) * 1000;

/** What the faults that strike at creation make of the pod. */
function destinyOf({ world, target, nowMs }: PodCall): Destiny {
  const destiny: Destiny = {};
  for (const strike of world.faults.takeAll('pod', target, nowMs)) {
    if (strike.kind === 'get-404-after-create') destiny.notFoundUntilMs = untilMs(strike, nowMs);
    if (strike.kind === 'list-late') destiny.unlistedUntilMs = untilMs(strike, nowMs);
    if (strike.kind === 'image-unpullable') destiny.imageFailsTo = strike.podStatus === 'ERROR' ? 'ERROR' : 'EXITED';
    if (strike.kind === 'crash-loop') destiny.crashAfterSeconds = strike.seconds ?? 1;
    if (strike.kind === 'zero-gpu') destiny.withoutGpu = true;
    if (strike.kind === 'boot-stuck') destiny.stuckIn = strike.podStatus === 'STARTING' ? 'STARTING' : 'PROVISIONING';
  }
  return destiny;
}

export function create(call: PodCall, body: unknown): { pod: PodRecord; reply: CoreReply } {
  const { world, target, nowMs } = call;
  const request = validated(createPodSchema, body);
  const struck = world.faults.take('effect', target, nowMs)?.kind;
  if (struck === 'create-500-not-created') throw new Problem(500, 'internal server error');
  if (struck === 'no-balance') throw noBalance();
  if (struck !== undefined) throw noCapacity();
  const pod = createPod(world, request, () => destinyOf(call), nowMs);
  return { pod, reply: answer(201, podView(pod, nowMs)) };
}

/** The pods that the list shows, oldest first: late ones not yet, ended ones no more, unless a fault says otherwise. */
function listedPods(world: World, nowMs: number): PodRecord[] {
  const lagMs = world.settings.listLagSeconds * 1000;
  return [...world.pods.values()].filter((pod) => {
    if (!isAlive(pod)) return nowMs < (pod.destiny.listedAfterEnd?.untilMs ?? 0);
    return nowMs >= Math.max(pod.createdAtMs + lagMs, pod.destiny.unlistedUntilMs ?? 0);
  });
}

export function list({ world, target, nowMs }: PodCall, cursor: string | undefined): CoreReply {
  const strike = world.faults.take('list', target, nowMs);
  const pods = listedPods(world, nowMs);
  const known = strike?.kind === 'list-misses' ? pods.slice(0, -(strike.count ?? 1)) : pods;
  const size = strike?.kind === 'list-small-page' ? (strike.count ?? 1) : world.settings.pageSize;
  const { items, pagination } = page(known, cursor, size);
  return answer(200, {
    pods: items.map((pod) => podView(pod, nowMs, pod.destiny.listedAfterEnd?.status)),
    pagination,
  });
}

/** A pod of this account that lives, or the 404: unknown and ended pods look alike. */
export function livePod(world: World, id: string): PodRecord {
  const pod = world.pods.get(id);
  if (!pod || !isAlive(pod)) throw new Problem(404, 'pod not found');
  return pod;
}

export function get({ world, target, nowMs }: PodCall, id: string): CoreReply {
  const pod = livePod(world, id);
  const isHidden = world.faults.take('effect', target, nowMs) !== undefined;
  if (isHidden || nowMs < (pod.destiny.notFoundUntilMs ?? 0)) throw new Problem(404, 'pod not found');
  return answer(200, podView(pod, nowMs));
}

/** DELETE, and the action of that name. */
export function terminate({ world, target, nowMs }: PodCall, id: string): CoreReply {
  const pod = livePod(world, id);
  const struck = world.faults.take('effect', target, nowMs)?.kind;
  if (struck === 'delete-404') throw new Problem(404, 'pod not found');
  if (struck === 'delete-no-effect') return noContent();
  for (const strike of world.faults.takeAll('pod', target, nowMs)) {
    const status = strike.podStatus ?? pod.status;
    pod.destiny.listedAfterEnd = { untilMs: untilMs(strike, nowMs), status };
  }
  terminatePod(world, pod, nowMs);
  return noContent();
}

function start({ world, target, nowMs }: PodCall, pod: PodRecord): void {
  const struck = world.faults.take('effect', target, nowMs)?.kind;
  if (struck === 'no-capacity') throw noCapacity();
  if (struck === 'no-balance' || balanceLeftUsd(world, nowMs) < pod.computeUsdPerHour) throw noBalance();
  if (world.faults.takeAll('pod', target, nowMs).length > 0) pod.destiny.withoutGpu = true;
  startPod(world, pod, nowMs);
}

/** Whether a fault takes the effect away: the reply is the same 200. */
const isNoOp = ({ world, target, nowMs }: PodCall): boolean => world.faults.take('effect', target, nowMs) !== undefined;

const transitions: Readonly<Record<Exclude<PodAction, 'terminate'>, (call: PodCall, pod: PodRecord) => void>> = {
  start,
  stop: (call, pod) => {
    if (pod.locked) throw new Problem(409, 'pod is locked');
    if (!isNoOp(call)) stopPod(call.world, pod, call.nowMs);
  },
  restart: (call, pod) => {
    if (!isNoOp(call)) restartPod(call.world, pod, call.nowMs);
  },
};

export function act(call: PodCall, id: string, body: unknown): CoreReply {
  const { action } = validated(podActionSchema, body);
  const pod = livePod(call.world, id);
  if (action === 'terminate') return terminate(call, id);
  if (!legalActions(pod.status).includes(action)) {
    throw new Problem(409, `action '${action}' is not valid for a pod in status ${pod.status}`);
  }
  transitions[action](call, pod);
  return answer(200, podView(pod, call.nowMs));
}
