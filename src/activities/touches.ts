import type { Grant } from '../contract/index.js';
import { isGateError, type Sleep } from '../runpod/index.js';
import type { GateAccess } from './pod-dependencies.js';
import { reachGate } from './reach-gate.js';

/** Well under the 120 s of grace that the dead-man's switch adds to any idle time. */
const TOUCH_EVERY_MS = 60_000;

/** Holds off the pod's dead-man's switch while the work runs: an agent that is busy with its tools uses the pod too. */
export async function withTouches<T>(
  deps: GateAccess & { readonly sleep: Sleep },
  { endpoint, podName }: Pick<Grant, 'endpoint' | 'podName'>,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const until = AbortSignal.any([signal, done.signal]);
  const touching = (async () => {
    for (;;) {
      await deps.sleep(TOUCH_EVERY_MS, until);
      try {
        const { gate } = await reachGate(deps, endpoint, podName, until);
        await gate.touch({ signal: until });
      } catch (error) {
        // The next one may arrive, and the work itself finds out when the pod is gone.
        if (!isGateError(error)) throw error;
      }
    }
  })().catch(() => undefined);
  try {
    return await work();
  } finally {
    done.abort();
    await touching;
  }
}
