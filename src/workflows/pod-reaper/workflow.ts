import { proxyActivities, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { ReaperActivities } from '../../activities/reaper.js';
import { TASK_QUEUES, type SeenPod, type SweepReport } from '../../contract/index.js';
import { tellWebhook } from '../webhook/tell.js';
import { sweepDetails } from './sweep-view.js';

/** A session that is about to show a pod as its own has done so by then. */
const SECOND_LOOK_AFTER = '60 seconds';

const { sweep } = proxyActivities<ReaperActivities>({
  taskQueue: TASK_QUEUES.control,
  scheduleToCloseTimeout: '50 seconds',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '2 seconds', maximumInterval: '20 seconds' },
  summary: "judge every pod of the account's list",
});

/**
 * One round of the reaper: a sweep, and a second one where the first found what may be nobody's. (A Schedule does not hand a
 * run's result on to the next: measured on server 1.32.) Fails when RunPod's list cannot be read.
 */
export async function PodReaper(): Promise<SweepReport> {
  const first = await sweep({ suspects: [] });
  setCurrentDetails(sweepDetails(first));
  await tellEnded(first);
  if (first.suspects.length === 0) return first;
  await sleep(SECOND_LOOK_AFTER, { summary: 'before the second look' });
  const second = await sweep({ suspects: first.suspects });
  await tellEnded(second);
  const both = { ...second, ended: [...first.ended, ...second.ended] };
  setCurrentDetails(sweepDetails(both));
  return both;
}

async function tellEnded({ ended, webhook }: SweepReport): Promise<void> {
  if (!webhook) return;
  const tellOne = ({ podId: id, podName: name, session, why }: SeenPod): Promise<void> =>
    tellWebhook({ event: 'pod.orphan', pod: { id, name, session, why } });
  await Promise.all(ended.map(tellOne));
}
