import { PHASES, type Phase } from '../phases.js';
import type { World } from '../world/world.js';

/** What a fault is aimed at, and how hard it strikes. */
export interface Strike {
  readonly world: World;
  readonly session: string;
  /** How long it lasts, where it lasts: 3 to 60. */
  readonly seconds: number;
}

/**
 * What a session's people can count on, and what a failure may rightly take from them. `boot`: a pod that is on its way
 * goes on; `use`: whoever works on a pod keeps it, for the idle time too; `lease`: who holds one from outside Temporal
 * keeps it, which takes messages that arrive; `number`: no more work on it than may; `turn`: who came first is served
 * first; `again`: nothing is rented a second time; `answer`: a job that has the time for it is done.
 */
export type Claim = 'boot' | 'use' | 'lease' | 'number' | 'turn' | 'again' | 'answer';
export const everyClaim: readonly Claim[] = ['boot', 'use', 'lease', 'number', 'turn', 'again', 'answer'];

/** Work that was under way goes on unseen, and what was asked for may come twice; nobody loses a pod that works. */
export const unseen: readonly Claim[] = ['boot', 'again', 'lease', 'number', 'turn'];

/** With the pod goes what is done on it; who needs another one gets it before all others. */
export const thePod: readonly Claim[] = everyClaim.filter((claim) => claim !== 'turn');

export interface FaultKind {
  readonly name: string;
  /** Where it can strike at all. */
  readonly phases: readonly Phase[];
  /** Why it cannot strike in the other phases. */
  readonly elsewhere?: string;
  /**
   * By how many seconds it may put off the end of a pod, computed from our own timers before anything runs.
   * `Infinity`: RunPod itself keeps the pod, until all faults are taken away.
   */
  readonly puts: (seconds: number) => number;
  /** Whose pod may be ended for it, although nobody's time is over: see `Rights`. */
  readonly mayCost?: readonly Claim[];
  /**
   * It shows only with work that outlasts a lease's term, a job that comes when the others are done, one for a runner, or
   * a pod that nobody but the reaper ends.
   */
  readonly needs?: 'long-work' | 'late-job' | 'runner' | 'no-switch';
  /** @returns whether it has taken effect, asked at the end of the run; nothing means yes */
  readonly strike: (strike: Strike) => void | (() => boolean);
}

export const everyPhase = PHASES;
/** While a pod serves. */
export const withPod: readonly Phase[] = ['serve', 'idle', 'drain'];

/** A fault that waits for its session to come to the phase. */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly phase: Phase;
  readonly session: string;
  /** At some call to RunPod or to a gate in that phase, or so many seconds into it. */
  readonly atCall: boolean;
  readonly afterSeconds: number;
  readonly seconds: number;
}
