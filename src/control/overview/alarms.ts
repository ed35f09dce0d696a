import type { SeenPod, SessionStatus, SweepReport } from '../../contract/index.js';
import type { Alarm } from './schemas.js';
import { clock, count, isUnarmed } from './words.js';

/** What costs money for nobody, by the reaper's last report and by what the sessions say. Each pod once. Pure. */
export function alarmsOf(sweep: SweepReport | undefined, sessions: readonly SessionStatus[]): Alarm[] {
  const told = new Set<string>();
  const once = (podId: string, alarm: Alarm): Alarm[] => {
    if (told.has(podId)) return [];
    told.add(podId);
    return [alarm];
  };
  return [
    ...sessions.flatMap((session) => ofSession(session, once)),
    ...(sweep === undefined ? [] : ofSweep(sweep, once)),
  ];
}

type Once = (podId: string, alarm: Alarm) => Alarm[];

function ofSession({ session, phase, pod, condemned }: SessionStatus, once: Once): Alarm[] {
  const stuck =
    phase === 'stuck' && pod !== undefined
      ? once(pod.id, {
          kind: 'stuck',
          text: `Pod ${pod.id} of session ${session} is stuck: RunPod does not end it, which is tried for ever. Look at RunPod's console.`,
          costPerDayUsd: pod.costPerHourUsd * 24,
          session,
        })
      : [];
  const givenUp = condemned.flatMap(({ id, since, lastError }) =>
    once(id, {
      kind: 'condemned',
      text: `Pod ${id} of session ${session} was given up at ${clock(since)} and is not seen gone (${lastError}).`,
      session,
    }),
  );
  return [...stuck, ...givenUp];
}

function ofSweep(sweep: SweepReport, once: Once): Alarm[] {
  const { suspects, ended, reported, left, exited = [], switches = [], problems } = sweep;
  for (const { podId } of ended) once(podId, GONE);
  return [
    ...(left ?? []).flatMap((pod) =>
      once(pod.podId, ofPod(pod, 'left', 'RunPod has not ended it although it was asked')),
    ),
    ...suspects.flatMap((pod) =>
      once(
        pod.podId,
        ofPod(pod, pod.verdict === 'surplus' ? 'surplus' : 'orphan', 'it ends when a second look shows the same'),
      ),
    ),
    ...exited.flatMap((pod) =>
      once(
        pod.podId,
        ofPod(
          pod,
          'exited',
          `it is stopped, not terminated, and ${pod.costPerDayUsd === 0 ? 'has no volume that costs' : 'its volume goes on costing'}`,
        ),
      ),
    ),
    ...reported.flatMap((pod) =>
      once(pod.podId, ofPod(pod, pod.verdict === 'unknown' ? 'unknown' : 'overdue', 'it is not ours to end')),
    ),
    ...ofStrangers(sweep),
    ...switches.filter(isUnarmed).map(({ podId, session, problem }): Alarm => {
      const why = problem === undefined ? '' : ` (${problem})`;
      return {
        kind: 'unarmed',
        text: `Pod ${podId} of session ${session} has no armed dead-man's switch${why}: with all of ours dead nothing ends it.`,
        session,
      };
    }),
    // Reports of older workers name pods that RunPod keeps here only.
    ...(left === undefined ? problems : []).map((text): Alarm => ({ kind: 'problem', text: `${text}.` })),
  ];
}

/** Never shown: it only takes the place of what a pod that is gone would be told of. */
const GONE: Alarm = { kind: 'problem', text: '' };

function ofPod({ podId, podName, session, why, costPerDayUsd }: SeenPod, kind: Alarm['kind'], more: string): Alarm {
  const text = `Pod ${podId} (${podName}): ${why}; ${more}.`;
  return {
    kind,
    text,
    ...(costPerDayUsd !== undefined && { costPerDayUsd }),
    ...(session !== undefined && { session }),
  };
}

/** Those that stand still are told one by one. */
function ofStrangers({ strangers, exited = [] }: SweepReport): Alarm[] {
  if (strangers === undefined) return [];
  const still = exited.filter(({ verdict }) => verdict === 'stranger');
  const number = strangers.count - still.length;
  if (number <= 0) return [];
  const ofStill = still.reduce((sum, { costPerDayUsd = 0 }) => sum + costPerDayUsd, 0);
  const what = count(number, 'pod is', 'pods are');
  const text = `${what} in the account that Devloop did not make: nothing here ends them.`;
  return [{ kind: 'strangers', text, costPerDayUsd: strangers.costPerDayUsd - ofStill }];
}
