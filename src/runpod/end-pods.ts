import type { RunPodClient } from './client.js';
import { isRunPodError } from './errors.js';
import type { Clock, Sleep } from './time.js';
import { isAlive } from './types.js';

const LOOK_EVERY_MS = 5_000;
/** Complete listings in a row without the pods, 5 s apart: one alone may be a mistake of RunPod's. */
const LISTINGS = 2;

export interface EndPodsOptions {
  readonly runpod: RunPodClient;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly signal: AbortSignal;
  /** How long to try, milliseconds. */
  readonly withinMs: number;
}

/**
 * Ends pods and sees them gone, without Temporal. What RunPod does not end in time is the answer, not an error.
 * @returns the ids that are still in RunPod's list, and what RunPod said last where it refused
 */
export async function endPods(
  podIds: readonly string[],
  { runpod, clock, sleep, signal, withinMs }: EndPodsOptions,
): Promise<{ readonly left: readonly string[]; readonly lastError: string | undefined }> {
  const giveUpAtMs = clock() + withinMs;
  let left = podIds;
  let clean = 0;
  let lastError: string | undefined;
  while (podIds.length > 0) {
    try {
      for (const podId of left) lastError = (await refusal(runpod, podId, signal)) ?? lastError;
      const { pods } = await runpod.listPods({ signal, begunAfter: clock() });
      left = podIds.filter((podId) => pods.some((pod) => pod.id === podId && isAlive(pod)));
      clean = left.length === 0 ? clean + 1 : 0;
      if (clean === LISTINGS) break;
    } catch (error) {
      if (!isRunPodError(error) || error.kind === 'aborted') throw error;
      lastError = error.message;
      clean = 0;
    }
    if (clock() >= giveUpAtMs) return { left: left.length > 0 ? left : podIds, lastError };
    await sleep(LOOK_EVERY_MS, signal);
  }
  return { left: [], lastError };
}

/** Why RunPod did not take the DELETE: one pod that it refuses to end must not keep the others from their turn. */
async function refusal(runpod: RunPodClient, podId: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    await runpod.terminatePod(podId, { signal });
    return undefined;
  } catch (error) {
    if (!isRunPodError(error) || error.kind === 'aborted') throw error;
    return error.message;
  }
}
