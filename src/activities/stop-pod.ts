import { activityInfo } from '@temporalio/activity';
import { parsePodName, podNamePrefix } from '../contract/index.js';
import { isAlive, isRunPodError, type Pod } from '../runpod/index.js';
import { neverFinalFailure } from './failures.js';
import { withHeart, type Heart } from './heart.js';
import type { PodDependencies } from './pod-dependencies.js';
import type { StopPodInput, StopPodResult } from './types.js';

/** RunPod's list is asked again after this long. */
const LOOK_EVERY_MS = 5_000;
/** After an accepted DELETE. */
const LISTINGS_AFTER_DELETE = 2;
/** When some pod's DELETE was never accepted, or there may be one more: a pod may be missing from the list for a while and still bill. */
const LISTINGS_WITHOUT_DELETE = 3;
const SPREAD_WITHOUT_DELETE_MS = 60_000;

/** What one attempt leaves to the next through its heartbeat. */
interface StopProgress {
  /** When the last DELETE was accepted. */
  readonly acceptedAtMs?: number | undefined;
  /** Pods whose DELETE was accepted, now or in an earlier attempt. */
  readonly accepted: readonly string[];
  readonly podIds: readonly string[];
}

/**
 * Ends every pod of one first run, or of one attempt of it, and returns only when RunPod shows none: a 204, a 404 or EXITED alone proves nothing.
 * Never gives up by itself, and no failure of it is for good.
 */
export async function stopPod(deps: PodDependencies, input: StopPodInput): Promise<StopPodResult> {
  try {
    return await withHeart(deps, (heart, signal) => endAll(deps, input, heart, signal));
  } catch (error) {
    throw isRunPodError(error) ? neverFinalFailure(error, deps.clock()) : error;
  }
}

async function endAll(
  deps: PodDependencies,
  input: StopPodInput,
  heart: Heart,
  signal: AbortSignal,
): Promise<StopPodResult> {
  const before = activityInfo().heartbeatDetails as StopProgress | undefined;
  const podIds = new Set([...(before?.podIds ?? []), ...(input.podId === undefined ? [] : [input.podId])]);
  const accepted = new Set(before?.accepted);
  let acceptedAtMs = before?.acceptedAtMs;
  let goneSinceMs: number | undefined;
  let listings = 0;
  let begunAfterMs = deps.clock();
  const end = async (podId: string): Promise<void> => {
    podIds.add(podId);
    if ((await deps.runpod.terminatePod(podId, { signal })) === 'accepted') {
      accepted.add(podId);
      acceptedAtMs = deps.clock();
    }
    begunAfterMs = deps.clock();
    const progress: StopProgress = { acceptedAtMs, accepted: [...accepted], podIds: [...podIds] };
    heart.tell({ step: 'ending', ...progress });
  };
  // The known pod ends at once: the list may lag and costs a request.
  if (input.podId !== undefined) await end(input.podId);
  for (;;) {
    const listing = await deps.runpod.listPods({ signal, begunAfter: begunAfterMs });
    const left = listing.pods.filter((pod) => isAlive(pod) && isOurs(pod, input, podIds)).map(({ id }) => id);
    const alive = left.length > 0 ? left : await stillReadable(deps, podIds, signal);
    if (alive.length > 0) {
      goneSinceMs = undefined;
      listings = 0;
      for (const podId of alive) await end(podId);
      await deps.sleep(LOOK_EVERY_MS, signal);
      continue;
    }
    goneSinceMs ??= listing.begunAt;
    listings += 1;
    const isOurWork = !input.mayHaveMore && podIds.size > 0 && [...podIds].every((podId) => accepted.has(podId));
    if (isProven(listings, listing.begunAt - goneSinceMs, isOurWork)) {
      return { endedAt: new Date(acceptedAtMs ?? goneSinceMs).toISOString(), podIds: [...podIds] };
    }
    begunAfterMs = listing.begunAt + LOOK_EVERY_MS;
    await deps.sleep(isOurWork ? LOOK_EVERY_MS : SPREAD_WITHOUT_DELETE_MS / (LISTINGS_WITHOUT_DELETE - 1), signal);
  }
}

function isOurs(pod: Pod, input: StopPodInput, podIds: ReadonlySet<string>): boolean {
  if (podIds.has(pod.id)) return true;
  if (!pod.name.startsWith(podNamePrefix(input))) return false;
  return input.attempt === undefined || parsePodName(pod.name)?.attempt === input.attempt;
}

/** @param isOurWork every pod's DELETE was accepted, and there can be no other pod */
function isProven(listings: number, spreadMs: number, isOurWork: boolean): boolean {
  if (isOurWork) return listings >= LISTINGS_AFTER_DELETE;
  return listings >= LISTINGS_WITHOUT_DELETE && spreadMs >= SPREAD_WITHOUT_DELETE_MS;
}

/** GET may know pods that the list does not show. */
async function stillReadable(
  deps: PodDependencies,
  podIds: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string[]> {
  const readable: string[] = [];
  for (const podId of podIds) {
    const pod = await deps.runpod.getPod(podId, { signal });
    if (pod && isAlive(pod)) readable.push(podId);
  }
  return readable;
}
