import { parsePodName, type PodNameParts, type SessionLook } from '../contract/index.js';
import type { DeadmanStatus } from './gate-client.js';
import { isAlive, type Pod } from './types.js';

/** What the pod's own killers and all others wait beyond each deadline (`DEVLOOP_GRACE_SECONDS`). */
export const GRACE_SECONDS = 120;

/**
 * What a pod of the account is, by RunPod's list.
 *
 * - `stranger`: not made by Devloop. Never touched.
 * - `foreign`: another owner's, within its deadline.
 * - `kept`: ours, and nothing speaks against it.
 * - `unknown`: ours, but who owns it could not be found out. Neither kept nor ended for it.
 * - `orphan`: ours, and its session does not run. `surplus`: its session runs and has another pod.
 * - `overdue`: past its hard deadline. `never-ready`: not serving although its time for that is over.
 * - `unused`: nobody has used its gate for longer than its own switch would have waited.
 */
export type PodVerdict =
  'stranger' | 'foreign' | 'kept' | 'unknown' | 'orphan' | 'surplus' | 'overdue' | 'never-ready' | 'unused';

export interface ClassifiedPod {
  readonly pod: Pod;
  /** Undefined for strangers. */
  readonly name: PodNameParts | undefined;
  /** Of the owner who looks. */
  readonly mine: boolean;
  readonly verdict: PodVerdict;
  /** Its own switch, where its gate tells. */
  readonly deadman: DeadmanStatus | undefined;
  /** One sentence for people. */
  readonly why: string;
}

export interface PodFacts {
  readonly pods: readonly Pod[];
  /** Epoch milliseconds, by RunPod's clock where it is known. */
  readonly nowMs: number;
  readonly isMine: (owner: string) => boolean;
  /** Undefined: Temporal was not asked. */
  readonly session?: ((name: PodNameParts) => SessionLook) | undefined;
  /** The dead-man's switch as the pod's gate tells; undefined when the gate was not asked or did not answer. */
  readonly deadman: (podId: string) => DeadmanStatus | undefined;
}

/** Whether this is no pod that anybody may rely on: it ends at the first look. */
export function isLate({ mine, verdict }: ClassifiedPod): boolean {
  return mine && (verdict === 'overdue' || verdict === 'never-ready' || verdict === 'unused');
}

/** Whether it ends when the next look, minutes later, shows the same: a session may be about to adopt it. */
export function isSuspect({ mine, verdict }: ClassifiedPod): boolean {
  return mine && (verdict === 'orphan' || verdict === 'surplus');
}

/** One verdict for every living pod of the list. Pure. */
export function classifyPods(facts: PodFacts): ClassifiedPod[] {
  return facts.pods.filter(isAlive).map((pod) => {
    const name = parsePodName(pod.name);
    const deadman = facts.deadman(pod.id);
    if (!name) return { pod, name, mine: false, deadman, verdict: 'stranger', why: 'Devloop did not make it' };
    const mine = facts.isMine(name.owner);
    return { pod, name, mine, deadman, ...(mine ? ofMine(pod, name, facts) : ofOther(name, facts)) };
  });
}

type Judgement = Pick<ClassifiedPod, 'verdict' | 'why'>;

function ofOther(name: PodNameParts, { nowMs }: PodFacts): Judgement {
  return overdue(name, nowMs) ?? { verdict: 'foreign', why: `it belongs to owner ${name.owner}` };
}

function ofMine(pod: Pod, name: PodNameParts, facts: PodFacts): Judgement {
  const late = overdue(name, facts.nowMs) ?? neverReady(pod, facts) ?? unused(pod, facts.deadman(pod.id), facts.nowMs);
  return late ?? bySession(pod, name, facts);
}

function overdue({ hardDeadlineSeconds }: PodNameParts, nowMs: number): Judgement | undefined {
  const lateSeconds = nowMs / 1000 - hardDeadlineSeconds;
  if (lateSeconds <= GRACE_SECONDS) return undefined;
  return { verdict: 'overdue', why: `its hard deadline was ${Math.floor(lateSeconds)} s ago` };
}

/** READY_BY is in the pod's environment. Without it, as in a list that shows none, nothing can be said. */
function neverReady(pod: Pod, { nowMs, deadman }: PodFacts): Judgement | undefined {
  const readyBy = seconds(pod.env.DEVLOOP_READY_BY);
  if (readyBy === undefined || nowMs / 1000 - readyBy <= GRACE_SECONDS) return undefined;
  if (pod.status === 'EXITED' || pod.status === 'ERROR')
    return {
      verdict: 'never-ready',
      why: `RunPod shows it ${pod.status}: it serves nobody and its disk goes on costing`,
    };
  if (pod.status === 'PROVISIONING' || pod.status === 'STARTING')
    return { verdict: 'never-ready', why: `it is still ${pod.status} although it was to be ready long ago` };
  if (deadman(pod.id)?.ready === false)
    return { verdict: 'never-ready', why: 'nobody has declared it ready although its time for that is over' };
  return undefined;
}

/** Its own switch should have ended it by now, twice over. A switch that has stopped looking says nothing. */
function unused(pod: Pod, deadman: DeadmanStatus | undefined, nowMs: number): Judgement | undefined {
  const idleLimit = seconds(pod.env.DEVLOOP_IDLE_SECONDS);
  if (idleLimit === undefined || deadman?.ready !== true || deadman.idleSeconds === undefined) return undefined;
  const ageSeconds = Math.abs(nowMs / 1000 - (deadman.seenAt ?? 0));
  if (ageSeconds > GRACE_SECONDS || (deadman.inFlight ?? 0) > 0) return undefined;
  if (deadman.idleSeconds <= idleLimit + 2 * GRACE_SECONDS) return undefined;
  return { verdict: 'unused', why: `nobody has used it for ${deadman.idleSeconds} s; ${idleLimit} s are allowed` };
}

function bySession(pod: Pod, name: PodNameParts, { session }: PodFacts): Judgement {
  if (!session) return { verdict: 'kept', why: 'it is within its deadlines' };
  const look = session(name);
  switch (look.state) {
    case 'gone':
      return { verdict: 'orphan', why: `session ${name.session} of this pod does not run` };
    case 'unknown':
      return { verdict: 'unknown', why: `Temporal did not tell whether session ${name.session} runs` };
    case 'running':
      return look.podId === undefined || look.podId === pod.id
        ? { verdict: 'kept', why: `session ${name.session} runs` }
        : { verdict: 'surplus', why: `session ${name.session} runs with another pod, ${look.podId}` };
  }
}

function seconds(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && /^\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}
