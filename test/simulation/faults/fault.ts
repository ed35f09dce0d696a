import { PHASES, type Phase } from '../phases.js';
import type { World } from '../world/world.js';

/** What a fault is aimed at, and how hard it strikes. */
export interface Strike {
  readonly world: World;
  readonly session: string;
  /** How long it lasts, where it lasts: 3 to 60. */
  readonly seconds: number;
}

export interface FaultKind {
  readonly name: string;
  /** Where it can strike at all. */
  readonly phases: readonly Phase[];
  /** Why it cannot strike in the other phases. */
  readonly elsewhere?: string;
  /**
   * By how many seconds it may put off the end of a pod, computed from our own timers before anything runs.
   * `Infinity`: RunPod itself keeps the pod, for ever.
   */
  readonly puts: (seconds: number) => number;
  /** It ends or interrupts a use of the pod by itself: nobody else robbed the user. */
  readonly endsUses?: boolean;
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
