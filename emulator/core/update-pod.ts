import { recordRate } from './billing.js';
import { answer, Problem, type CoreReply } from './http.js';
import { restartPod } from './lifecycle.js';
import { type Mounts, type PodRecord } from './pod.js';
import { podView } from './pod-view.js';
import { livePod, type PodCall } from './pods-api.js';
import { updatePodSchema, validated, type UpdatePodRequest } from './schemas.js';
import { templateForPod } from './templates.js';

/** RunPod REST v2, Mounts, rules for PATCH: a mount's kind and its volume are fixed at creation, its path is not. */
function mountsAfter(pod: PodRecord, change: Mounts | undefined): Mounts {
  if (!change || Object.keys(change).length === 0) return pod.mounts;
  const { persistent, network } = change;
  if (persistent && network?.length) {
    throw new Problem(400, 'mounts.persistent and mounts.network are mutually exclusive');
  }
  if (network?.length === 0) throw new Problem(400, 'clearing mounts is not supported');
  const had = pod.mounts.network?.[0];
  if ((persistent && !pod.mounts.persistent) || (network && !had)) {
    throw new Problem(400, 'the kind of a mount is fixed at creation');
  }
  if (network && network[0]?.volumeId !== had?.volumeId) {
    throw new Problem(400, 'the volumeId of a network mount is immutable');
  }
  if (persistent && persistent.size < (pod.mounts.persistent?.size ?? 0)) {
    throw new Problem(400, 'a persistent mount can only grow');
  }
  return change;
}

/** What a running container cannot take on: a change of these makes a new container. */
const fixedInContainer = ['image', 'args', 'disk', 'ports', 'env', 'registry', 'mounts'] as const;

/** PATCH: given fields replace, `env` as a whole; with a template, its settings come first and `env` is merged. */
export function update({ world, nowMs }: PodCall, id: string, body: unknown): CoreReply {
  const change: UpdatePodRequest = validated(updatePodSchema, body);
  const pod = livePod(world, id);
  const template = change.templateId === undefined ? undefined : templateForPod(world, change.templateId);
  const env = template?.env || change.env ? { ...template?.env, ...change.env } : pod.env;
  const changed = {
    name: change.name ?? pod.name,
    locked: change.locked ?? pod.locked,
    globalNetworking: change.globalNetworking ?? pod.globalNetworking,
    image: change.image ?? template?.image ?? pod.image,
    args: change.args ?? template?.args ?? pod.args,
    disk: change.disk ?? template?.disk ?? pod.disk,
    ports: change.ports ?? template?.ports ?? pod.ports,
    env,
    registry: change.registry !== undefined ? change.registry : (template?.registry ?? pod.registry),
    mounts: mountsAfter(pod, change.mounts),
  };
  const renewed = fixedInContainer.some((field) => JSON.stringify(changed[field]) !== JSON.stringify(pod[field]));
  Object.assign(pod, changed);
  recordRate(pod, nowMs);
  world.emit({ type: 'pod-changed', podId: pod.id });
  if (renewed && pod.status === 'RUNNING') restartPod(world, pod, nowMs);
  return answer(200, podView(pod, nowMs));
}
