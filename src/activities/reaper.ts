import { endPods, isLate, isSuspect, surveyPods, type ClassifiedPod } from '../runpod/index.js';
import type { RunPodClient, SurveyOptions } from '../runpod/index.js';
import { atBorder } from './failures.js';
import { withHeart, type HeartTime } from './heart.js';
import type { LookAtSessions } from '../client/internal.js';
import type { SweepReport } from '../contract/index.js';
import { accountReport, seenPod } from './sweep-report.js';
import type { SweepInput } from './types.js';

/** Longer than that a pod is left to the next sweep; the activity has 50 s in all. */
const END_WITHIN_MS = 20_000;

export interface ReaperActivities {
  /** One look at the account's list: ends what is late, and what two looks in a row show as nobody's. */
  sweep: (input: SweepInput) => Promise<SweepReport>;
}

export interface ReaperDependencies extends HeartTime {
  readonly runpod: RunPodClient;
  readonly proxyUrl: string;
  /** A client of any pod's gate, with the token that the list shows. */
  readonly gate: SurveyOptions['gate'];
  /** With the namespace's suffix: other control planes' pods are theirs to judge. */
  readonly owner: string;
  readonly webhook: boolean;
  readonly lookAtSessions: LookAtSessions;
}

export function createReaperActivities(deps: ReaperDependencies): ReaperActivities {
  return { sweep: (input) => atBorder(deps.clock, () => sweep(deps, input)) };
}

function sweep(deps: ReaperDependencies, { suspects }: SweepInput): Promise<SweepReport> {
  return withHeart(deps, async (heart, signal) => {
    const { runpod, proxyUrl, gate, owner, clock, sleep } = deps;
    const at = new Date(clock()).toISOString();
    const pods = await surveyPods({
      runpod,
      proxyUrl,
      gate,
      isMine: (name) => name === owner,
      sessions: deps.lookAtSessions,
      signal,
    });
    const seenBefore = (id: string): boolean => suspects.some(({ podId }) => podId === id);
    const due = pods.filter((seen) => isLate(seen) || (isSuspect(seen) && seenBefore(seen.pod.id)));
    const podIds = due.map(({ pod }) => pod.id);
    if (podIds.length > 0) heart.tell({ step: 'ending', podIds });
    // A DELETE that RunPod takes and does not heed would else cost the pod's price until the next sweep.
    const { left, lastError } = await endPods(podIds, { runpod, clock, sleep, signal, withinMs: END_WITHIN_MS });
    return {
      at,
      pods: pods.length,
      suspects: pods.filter(isSuspect).map(seenPod),
      ended: due.filter(({ pod }) => !left.includes(pod.id)).map(seenPod),
      reported: pods.filter(isWorthReporting).map(seenPod),
      problems: left.map((podId) => `pod ${podId}: ${lastError ?? 'it is still listed after several DELETEs'}`),
      webhook: deps.webhook,
      left: due.filter(({ pod }) => left.includes(pod.id)).map(seenPod),
      ...accountReport(pods),
    };
  });
}

/** What this control plane does not end but somebody pays for. */
function isWorthReporting({ mine, verdict, pod }: ClassifiedPod): boolean {
  return verdict === 'unknown' || (!mine && (verdict === 'overdue' || pod.status === 'EXITED'));
}
