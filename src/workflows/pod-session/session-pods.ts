import { podName, type SessionWants } from '../../contract/index.js';
import type { CondemnedPod, SessionData, SessionPod } from './session-data.js';

/** So many in a row, or within the hour: then the trouble is not one pod's. */
const MAX_FAILED_BOOTS = 3;
const MAX_LOSSES_AN_HOUR = 3;
const HOUR_MS = 3_600_000;

/** Every pod that the session had, oldest first. */
export function podsOf({ pastPods = [], pod }: SessionData): readonly SessionPod[] {
  return pod ? [...pastPods, pod] : pastPods;
}

/** To be called whenever a lease has begun or ended: somebody uses the pod from then on, or nobody does. */
export function noteUse({ pod, leases }: SessionData, nowMs: number): void {
  if (!pod) return;
  const { busySinceMs } = pod;
  if (leases.length > 0) pod.busySinceMs ??= nowMs;
  else if (busySinceMs !== undefined) {
    pod.busyMs = busyMs(pod, nowMs);
    delete pod.busySinceMs;
  }
}

/** Milliseconds with a lease on it, up to now. */
export function busyMs({ busyMs: past = 0, busySinceMs }: SessionPod, nowMs: number): number {
  return past + (busySinceMs === undefined ? 0 : nowMs - busySinceMs);
}

/** US dollars from create to end, or to now. */
export function costOf(pod: SessionPod, nowMs: number): number {
  return (Math.max(0, (pod.endedAtMs ?? nowMs) - pod.createdAtMs) / HOUR_MS) * pod.costPerHourUsd;
}

/** The name of the present attempt's pod; undefined while nothing is planned. */
export function attemptName({ plan, spec, firstRunId, attempt }: SessionData): string | undefined {
  if (!plan) return undefined;
  const hardDeadlineSeconds = Math.floor(plan.hardDeadlineMs / 1000);
  return podName({ owner: plan.owner, session: spec.session, firstRunId, attempt, hardDeadlineSeconds });
}

/** Why there is no further pod for those who use or wait for one; undefined: there may be one. */
export function whyNoOther(data: SessionData, nowMs: number): string | undefined {
  const { failedBoots = 0, lossesMs = [] } = data;
  if (failedBoots >= MAX_FAILED_BOOTS) return `${failedBoots} pods in a row did not boot`;
  const recent = lossesMs.filter((atMs) => nowMs - atMs < HOUR_MS).length;
  if (recent >= MAX_LOSSES_AN_HOUR) return `${recent} pods were lost within an hour`;
  return undefined;
}

/** Gives up whatever the present attempt may have rented. Its end goes on beside; the next attempt has another name. */
export function condemn(data: SessionData, why: string, nowMs: number): CondemnedPod | undefined {
  const name = attemptName(data);
  if (name === undefined || data.mayHavePod !== true) return undefined;
  const { pod, attempt } = data;
  const mayHaveMore = pod?.mayHaveMore;
  const condemned: CondemnedPod = { attempt, podId: pod?.id, name, mayHaveMore, sinceMs: nowMs, lastError: why };
  data.condemned = [...(data.condemned ?? []), condemned];
  data.pastPods = [...podsOf(data)];
  delete data.pod;
  delete data.readyAtMs;
  delete data.suspicion;
  data.mayHavePod = false;
  data.attempt += 1;
  return condemned;
}

/** RunPod shows it gone since then. */
export function seenGone(data: SessionData, { attempt, podId }: CondemnedPod, endedAtMs: number): void {
  data.condemned = (data.condemned ?? []).filter((other) => other.attempt !== attempt);
  for (const pod of data.pastPods ?? []) if (pod.id === podId) pod.endedAtMs = endedAtMs;
}

/** When what the living pods cost together has used up the budget: epoch milliseconds. */
export function budgetEndMs(data: SessionData, maxCostUsd: number): number {
  const pods = podsOf(data);
  const alive = pods.filter(({ endedAtMs }) => endedAtMs === undefined);
  const perMs = alive.reduce((sum, { costPerHourUsd }) => sum + costPerHourUsd / HOUR_MS, 0);
  if (perMs === 0) return Infinity;
  const spentUsd = pods.reduce((sum, pod) => sum + (pod.endedAtMs === undefined ? 0 : costOf(pod, pod.endedAtMs)), 0);
  const beganUsd = alive.reduce((sum, pod) => sum + (pod.costPerHourUsd / HOUR_MS) * pod.createdAtMs, 0);
  return (maxCostUsd - spentUsd + beganUsd) / perMs;
}

/** What the session is to somebody who joins it; model and API are decided by the plan. */
export function specOf({ spec, plan, pod }: SessionData): SessionWants {
  const { gpuCount, cloud, templateId } = spec;
  return {
    gpus: pod ? [pod.gpu] : [...spec.gpus],
    gpuCount,
    cloud,
    image: plan?.image ?? spec.image,
    templateId,
    model: plan?.model ?? spec.model,
    api: plan?.api ?? spec.api,
  };
}
