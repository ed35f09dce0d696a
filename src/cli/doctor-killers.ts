import type { DevloopClient } from '../client/index.js';
import type { DoctorCheck } from '../embedded/index.js';
import { isRunPodError, type ClassifiedPod } from '../runpod/index.js';
import { accountOfKey, surveyAccount } from './runpod-account.js';

const RUNPOD_TIMEOUT_MS = 15_000;

/** Whether the reaper's Schedule runs: the killer that needs no living session. */
export async function checkReaper(client: DevloopClient): Promise<DoctorCheck> {
  const name = 'reaper';
  const { state, lastRoundAt } = await client.reaper();
  switch (state) {
    case 'running':
      return { name, state: 'ok', ...(lastRoundAt === undefined ? {} : { version: `last round ${lastRoundAt}` }) };
    case 'paused':
      return {
        name,
        state: 'problem',
        hint: 'Its Schedule is paused: temporal schedule toggle --unpause --schedule-id devloop-reaper',
      };
    case 'absent':
      return { name, state: 'problem', hint: 'It has no Schedule; a worker makes one when it starts: devloop worker' };
  }
}

/** Reads the list of pods: the cheapest call that proves a key, and it shows what leaks and which switches are armed. */
export async function checkAccount(): Promise<DoctorCheck> {
  const name = 'RunPod account';
  const account = accountOfKey();
  try {
    const pods = await surveyAccount(account, AbortSignal.timeout(RUNPOD_TIMEOUT_MS));
    const ours = pods.filter(({ mine }) => mine);
    const late = pods.filter(isLeaking);
    const armed = ours.filter(({ deadman }) => deadman?.state === 'armed').length;
    const version = `${pods.length} pods, ${ours.length} of owner ${account.owner}, ${armed} with an armed switch`;
    const check = { name, path: account.label, version };
    if (late.length === 0) return { ...check, state: 'ok' };
    const hint = `${late.map(({ pod, why }) => `pod ${pod.id}: ${why}`).join('; ')}. End what is yours: devloop reap`;
    return { ...check, state: 'problem', hint };
  } catch (error) {
    if (!isRunPodError(error)) throw error;
    const hint =
      error.kind === 'unauthorized' || error.kind === 'not-allowed'
        ? `RunPod refuses the key (${error.detail}). Make a new one in RunPod's console and set RUNPOD_API_KEY.`
        : `RunPod's list of pods could not be read (${error.detail}).`;
    return { name, state: 'problem', path: account.label, hint };
  }
}

function isLeaking({ verdict }: ClassifiedPod): boolean {
  return verdict === 'overdue' || verdict === 'never-ready' || verdict === 'unused';
}
