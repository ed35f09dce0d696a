import { checkPod } from './check-pod.js';
import { atBorder } from './failures.js';
import type { PodDependencies } from './pod-dependencies.js';
import { planSession } from './plan-session.js';
import { pollPod } from './poll-pod.js';
import { startPod } from './start-pod.js';
import { stopPod } from './stop-pod.js';
import type {
  CheckPodInput,
  CheckPodResult,
  PlanSessionInput,
  PollPodInput,
  PollPodResult,
  SessionPlan,
  StartPodInput,
  StartPodResult,
  StopPodInput,
  StopPodResult,
} from './types.js';

export interface PodActivities {
  planSession: (input: PlanSessionInput) => Promise<SessionPlan>;
  startPod: (input: StartPodInput) => Promise<StartPodResult>;
  pollPod: (input: PollPodInput) => Promise<PollPodResult>;
  checkPod: (input: CheckPodInput) => Promise<CheckPodResult>;
  stopPod: (input: StopPodInput) => Promise<StopPodResult>;
}

/** The activities that speak with RunPod and with pods. */
export function createPodActivities(deps: PodDependencies): PodActivities {
  const activity =
    <I, O>(work: (deps: PodDependencies, input: I) => Promise<O>) =>
    (input: I): Promise<O> =>
      atBorder(deps.clock, () => work(deps, input));
  return {
    planSession: activity(planSession),
    startPod: activity(startPod),
    pollPod: activity(pollPod),
    checkPod: activity(checkPod),
    stopPod: activity(stopPod),
  };
}
