import type { PlannedFault } from './faults/fault.js';
import type { StruckFault } from './invariants/truth.js';
import type { Phase } from './phases.js';
import type { World } from './world/world.js';

/** Lets each fault strike when its session comes to its phase. */
export class Armed {
  readonly struck: StruckFault[] = [];
  private waiting: PlannedFault[];
  private isDisarmed = false;

  constructor(
    private readonly world: World,
    faults: readonly PlannedFault[],
  ) {
    this.waiting = [...faults];
    const { onChange } = world;
    world.onChange = (session) => {
      onChange(session);
      this.look(session);
    };
    // A session that nobody has started yet creates with its first call.
    world.network.watchers.push((stage, request) => {
      if (stage !== 'leaves') return;
      for (const { name } of world.sessions) if (request.url.includes('/v2/')) this.look(name);
    });
  }

  /** What has not struck by now never does. */
  disarm(): void {
    this.isDisarmed = true;
  }

  private look(session: string): void {
    const phase = this.world.phaseOf(session);
    if (phase === undefined) return;
    const due = this.waiting.filter((fault) => fault.session === session && fault.phase === phase);
    if (due.length === 0) return;
    this.waiting = this.waiting.filter((fault) => !due.includes(fault));
    for (const fault of due) this.lie(fault, phase);
  }

  /** In wait: for a moment of the phase, or for a moment of a call in it. */
  private lie(fault: PlannedFault, phase: Phase): void {
    const { world } = this;
    const isImmediate = fault.kind.phases.length === 1 && phase === 'create';
    if (isImmediate) this.strike(fault);
    else if (fault.atCall) this.awaitCall(fault);
    else
      world.later(fault.afterSeconds, () => {
        this.strike(fault);
      });
  }

  private awaitCall(fault: PlannedFault): void {
    const { world } = this;
    const stage = world.kernel.pick(['leaves', 'arrives', 'answered'] as const);
    let left = world.kernel.integer(1, 4);
    let done = false;
    const once = (): void => {
      if (done) return;
      done = true;
      this.strike(fault);
    };
    world.network.watchers.push((at, request) => {
      if (done || at !== stage || !request.url.startsWith('http://runpod.sim/')) return;
      left -= 1;
      if (left === 0) once();
    });
    // A phase without calls must not wait for another one's.
    world.later(fault.afterSeconds + 10, once);
  }

  private strike(fault: PlannedFault): void {
    if (this.isDisarmed) return;
    const { world } = this;
    const phase = world.phaseOf(fault.session);
    const { session, seconds, kind } = fault;
    const tookEffect = kind.strike({ world, session, seconds }) ?? (() => true);
    this.struck.push({ fault: { ...fault, phase: phase ?? fault.phase }, tookEffect });
  }
}
