import { API_KINDS, parsePodName, type PodNameParts, type SessionLook } from '../contract/index.js';
import { classifyPods, type ClassifiedPod } from './classify-pods.js';
import type { RunPodClient } from './client.js';
import { podEndpoint } from './endpoint.js';
import type { DeadmanStatus, GateClient } from './gate-client.js';
import { isGateError } from './gate-errors.js';
import type { Pod } from './types.js';

/** Gates asked at the same time. */
const GATES_AT_ONCE = 10;

export interface SurveyOptions {
  readonly runpod: RunPodClient;
  /** RUNPOD_PROXY_URL. */
  readonly proxyUrl: string;
  readonly gate: (target: { readonly endpoint: string; readonly token: string }) => GateClient;
  readonly isMine: (owner: string) => boolean;
  /** Who owns the pods of these names, asked once for all; absent: Temporal is not asked. */
  readonly sessions?: ((names: readonly PodNameParts[]) => Promise<(name: PodNameParts) => SessionLook>) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads the account's whole list and judges every pod: what the reaper, `reap`, `pods` and `doctor` see.
 * @throws RunPodError when the list cannot be read: that never means "no pods"
 */
export async function surveyPods(options: SurveyOptions): Promise<ClassifiedPod[]> {
  const { runpod, isMine, sessions, signal } = options;
  const { pods, begunAt, apiTime } = await runpod.listPods({ signal });
  const mine = pods.filter((pod) => {
    const name = parsePodName(pod.name);
    return name !== undefined && isMine(name.owner);
  });
  const names = mine.flatMap((pod) => parsePodName(pod.name) ?? []);
  const [switches, session] = await Promise.all([readSwitches(mine, options), sessions?.(names)]);
  return classifyPods({
    pods,
    nowMs: apiTime ?? begunAt,
    isMine,
    session,
    deadman: (podId) => switches.get(podId),
  });
}

/** What the running pods' gates tell. Whoever may read the list holds their tokens. */
async function readSwitches(pods: readonly Pod[], options: SurveyOptions): Promise<Map<string, DeadmanStatus>> {
  const switches = new Map<string, DeadmanStatus>();
  const running = pods.filter(({ status }) => status === 'RUNNING');
  for (let first = 0; first < running.length; first += GATES_AT_ONCE) {
    const asked = running.slice(first, first + GATES_AT_ONCE).map(async (pod) => {
      const deadman = await readSwitch(pod, options);
      if (deadman) switches.set(pod.id, deadman);
    });
    await Promise.all(asked);
  }
  return switches;
}

async function readSwitch(pod: Pod, { proxyUrl, gate, signal }: SurveyOptions): Promise<DeadmanStatus | undefined> {
  const { DEVLOOP_GATE_TOKEN: token, DEVLOOP_API } = pod.env;
  const api = API_KINDS.find((kind) => kind === DEVLOOP_API);
  if (!token || !api) return undefined;
  try {
    return (await gate({ endpoint: podEndpoint(proxyUrl, pod.id, api), token }).status({ signal })).deadman;
  } catch (error) {
    if (!isGateError(error) || error.kind === 'aborted') throw error;
    return undefined;
  }
}
