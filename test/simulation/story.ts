import type { PlannedFault } from './faults/fault.js';
import { cells } from './faults/catalog.js';
import { Kernel } from './kernel/kernel.js';
import type { Phase } from './phases.js';
import { scenes } from './scenes/list.js';
import type { Scene } from './scenes/scene.js';
import type { Wanted } from './world/plan.js';

/** So many faults strike at some call to RunPod or a gate, the others at a moment of their phase. */
const CALL_SHARE = 0.4;
/** Most faults meet one session; some stories have two, which share workers, Temporal and RunPod. */
const SECOND_SESSION = 0.15;
const SPREAD_SECONDS: Readonly<Record<Phase, number>> = {
  create: 0.25,
  boot: 12,
  serve: 20,
  idle: 60,
  drain: 10,
  stop: 6,
};
/** In some stories everything goes wrong in the same phase: what one protection forgives, two failures may not. */
const BAD_MOMENT = 0.25;
/** Some lives are short, and some faults never come to strike: so many stories have one more. */
const MORE_FAULTS = 0.25;
/** Cells are dealt like cards, so that each comes up as often as any other. */
const DEAL_STEP = 7919;

/** So many stories are scenes, which are dealt in turn. */
const SCENE_EVERY = 15;

export function sceneOf(seed: number): Scene | undefined {
  return seed % SCENE_EVERY === 0 ? scenes[(seed / SCENE_EVERY) % scenes.length] : undefined;
}

/** The faults that this seed's story has. Which ones depends on the seed alone. */
export function plannedFaults(seed: number): readonly PlannedFault[] {
  const kernel = new Kernel(seed ^ 0x5eed);
  const scene = sceneOf(seed);
  if (scene) return scene.faults?.(kernel) ?? [];
  const count = 2 + kernel.integer(0, 4) + Number(kernel.chance(MORE_FAULTS));
  const isBadMoment = kernel.chance(BAD_MOMENT);
  const dealt = cells[(seed * DEAL_STEP) % cells.length]!;
  const others = isBadMoment ? cells.filter(({ phase }) => phase === dealt.phase) : cells;
  return Array.from({ length: count }, (_, i) => {
    const { kind, phase } = i === 0 ? dealt : kernel.pick(others);
    return {
      kind,
      phase,
      session: kernel.chance(SECOND_SESSION) ? 's1' : 's0',
      atCall: kernel.chance(CALL_SHARE),
      afterSeconds: kernel.random() * SPREAD_SECONDS[phase],
      seconds: 3 + Math.round(kernel.random() * 45),
    };
  });
}

/** What each session has to come to. */
export function wantedOf(faults: readonly PlannedFault[]): Wanted[] {
  const names = faults.some(({ session }) => session === 's1') ? ['s0', 's1'] : ['s0'];
  return names.map((name) => {
    const its = faults.filter(({ session }) => session === name);
    const needs = new Set(
      its.map(({ kind, phase }) => (phase === 'drain' && kind.needs !== 'runner' ? undefined : kind.needs)),
    );
    const phases = new Set(its.map(({ phase }) => phase));
    return {
      phases,
      longWork: needs.has('long-work') && phases.has('serve'),
      lateJob: needs.has('late-job'),
      runner: needs.has('runner'),
      noSwitch: needs.has('no-switch'),
    };
  });
}
