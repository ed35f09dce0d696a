import { isLate, isRunPodError, isSuspect, surveyPods, type ClassifiedPod } from '../runpod/index.js';
import type { RunPodClient, SurveyOptions } from '../runpod/index.js';
import { atBorder } from './failures.js';
import { withHeart, type HeartTime } from './heart.js';
import type { LookAtSessions } from '../client/index.js';
import type { SeenPod, SweepInput, SweepReport } from './types.js';

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
    const { runpod, proxyUrl, gate, owner } = deps;
    const at = new Date(deps.clock()).toISOString();
    const pods = await surveyPods({
      runpod,
      proxyUrl,
      gate,
      isMine: (name) => name === owner,
      sessions: deps.lookAtSessions,
      signal,
    });
    const ended: SeenPod[] = [];
    const problems: string[] = [];
    const seenBefore = (id: string): boolean => suspects.some(({ podId }) => podId === id);
    for (const seen of pods) {
      if (!isLate(seen) && !(isSuspect(seen) && seenBefore(seen.pod.id))) continue;
      heart.tell({ step: 'ending', podId: seen.pod.id });
      try {
        await runpod.terminatePod(seen.pod.id, { signal });
        ended.push(seenPod(seen));
      } catch (error) {
        if (!isRunPodError(error) || error.kind === 'aborted') throw error;
        // The next sweep sees it again; the others' turn comes now.
        problems.push(`pod ${seen.pod.id}: ${error.message}`);
      }
    }
    return {
      at,
      pods: pods.length,
      suspects: pods.filter(isSuspect).map(seenPod),
      ended,
      reported: pods.filter(isWorthReporting).map(seenPod),
      problems,
      webhook: deps.webhook,
    };
  });
}

/** What this control plane does not end but somebody pays for. */
function isWorthReporting({ mine, verdict, pod }: ClassifiedPod): boolean {
  return verdict === 'unknown' || (!mine && (verdict === 'overdue' || pod.status === 'EXITED'));
}

function seenPod({ pod, name, verdict, why }: ClassifiedPod): SeenPod {
  const { id: podId, name: podName, status, costPerHourUsd } = pod;
  return { podId, podName, session: name?.session, status, costPerHourUsd, verdict, why };
}
