import type { SeenPod, SeenSwitch, SweepReport } from '../contract/index.js';
import type { ClassifiedPod } from '../runpod/index.js';

/** US dollars a month for a GB of a stopped pod's volume (RunPod's prices; twice that of a running one's). */
const STOPPED_GB_MONTH_USD = 0.2;
const MONTHS_A_YEAR = 12;
const DAYS_A_YEAR = 365;
/** A report is a workflow's result: an account full of pods must not make it too large to keep. */
const MAX_LISTED = 200;

export function seenPod({ pod, name, verdict, why }: ClassifiedPod): SeenPod {
  const { id: podId, name: podName, status, costPerHourUsd } = pod;
  const costPerDayUsd = perDayUsd(pod);
  return { podId, podName, session: name?.session, status, costPerHourUsd, costPerDayUsd, verdict, why };
}

/** What the account's list tells beside what this reaper may end. */
export function accountReport(pods: readonly ClassifiedPod[]): Pick<SweepReport, 'strangers' | 'exited' | 'switches'> {
  const strangers = pods.filter(({ verdict }) => verdict === 'stranger');
  const costPerDayUsd = strangers.reduce((sum, { pod }) => sum + (perDayUsd(pod) ?? 0), 0);
  return {
    strangers: { count: strangers.length, costPerDayUsd },
    exited: pods
      .filter(({ pod }) => pod.status === 'EXITED')
      .slice(0, MAX_LISTED)
      .map(seenPod),
    switches: pods
      .filter(({ mine, pod }) => mine && pod.status === 'RUNNING')
      .slice(0, MAX_LISTED)
      .map(seenSwitch),
  };
}

function seenSwitch({ pod, name, deadman }: ClassifiedPod): SeenSwitch {
  const seen: SeenSwitch = { podId: pod.id, session: name?.session ?? '', state: deadman?.state ?? 'unknown' };
  return deadman?.problem === undefined ? seen : { ...seen, problem: deadman.problem };
}

function perDayUsd({ status, costPerHourUsd, volumeGb }: ClassifiedPod['pod']): number | undefined {
  if (status !== 'EXITED') return costPerHourUsd === undefined ? undefined : costPerHourUsd * 24;
  return volumeGb === undefined ? undefined : (volumeGb * STOPPED_GB_MONTH_USD * MONTHS_A_YEAR) / DAYS_A_YEAR;
}
