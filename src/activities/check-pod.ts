import { hasFailed, isAlive, isGateError } from '../runpod/index.js';
import { withHeart } from './heart.js';
import type { PodDependencies } from './pod-dependencies.js';
import type { CheckPodInput, CheckPodResult } from './types.js';

const LOOKS = 3;
const LOOK_EVERY_MS = 3_000;

/** A pod is lost when its gate stays silent *and* RunPod shows it ended or failed. A slow gate (524) is not silent. */
export function checkPod(deps: PodDependencies, { pod, endpoint }: CheckPodInput): Promise<CheckPodResult> {
  return withHeart(deps, async (heart, signal) => {
    let detail = '';
    for (let look = 1; look <= LOOKS; look++) {
      const gate = deps.gate({ endpoint, podName: pod.name, secret: deps.gateSecrets[0] });
      try {
        await gate.healthz({ signal });
        return { verdict: 'alive', detail: 'its gate answers' };
      } catch (error) {
        if (!isGateError(error) || error.kind === 'aborted') throw error;
        if (error.kind === 'slow') return { verdict: 'alive', detail: error.message };
        detail = error.message;
      }
      heart.tell({ look, detail });
      if (look < LOOKS) await deps.sleep(LOOK_EVERY_MS, signal);
    }
    const seen = await deps.runpod.getPod(pod.id, { signal });
    const isGone = !seen || !isAlive(seen) || hasFailed(seen);
    return { verdict: isGone ? 'lost' : 'alive', detail: `${detail}; RunPod shows it ${seen?.status ?? 'gone'}` };
  });
}
