import type {
  FaultKind,
  FaultMatch,
  FaultStage,
  OneShotFault,
  Operation,
  SeededFaults,
  Strike,
} from './fault-kinds.js';
import { faultFacts } from './fault-kinds.js';
import { seededRandom, type Random } from './random.js';

/** The call that a fault may strike. */
export interface FaultTarget {
  readonly operation: Operation;
  readonly method: string;
  readonly path: string;
  readonly podName?: string;
  readonly podId?: string;
  /** GPU id of the pod that is asked for. */
  readonly gpu?: string;
  /** A create without `gpu.count`. */
  readonly gpuCountMissing?: boolean;
}

interface Armed {
  readonly id: number;
  readonly fault: OneShotFault;
  readonly armedAtMs: number;
  left: number;
  struck: number;
}

interface Plan {
  readonly id: number;
  readonly plan: SeededFaults;
  readonly random: Random;
  struck: number;
}

const includes = (text: string | undefined, wanted: string | undefined): boolean =>
  wanted === undefined || (text?.includes(wanted) ?? false);

function fits(match: FaultMatch | undefined, target: FaultTarget): boolean {
  if (!match) return true;
  return (
    (match.method === undefined || match.method.toUpperCase() === target.method) &&
    (match.operation === undefined || match.operation === target.operation) &&
    (match.podId === undefined || match.podId === target.podId) &&
    includes(target.path, match.path) &&
    includes(target.podName, match.podName)
  );
}

/** Whether a fault of this kind makes sense for this call. */
function strikes(kind: FaultKind, stage: FaultStage, gpu: string | undefined, target: FaultTarget): boolean {
  const facts = faultFacts(kind);
  if (facts.stage !== stage || !facts.on.includes(target.operation)) return false;
  if (kind === 'gpu-count-required') return target.gpuCountMissing === true;
  return kind !== 'no-capacity' || gpu === undefined || gpu === target.gpu;
}

/** The faults that are switched on. Each stage of a call asks for its own. */
export class FaultBox {
  private nextId = 1;
  private armed: Armed[] = [];
  private plans: Plan[] = [];

  arm(fault: OneShotFault, nowMs: number): number {
    const left = fault.times ?? (fault.forSeconds === undefined ? 1 : Infinity);
    this.armed.push({ id: this.nextId, fault, armedAtMs: nowMs, left, struck: 0 });
    return this.nextId++;
  }

  armSeeded(plan: SeededFaults): number {
    this.plans.push({ id: this.nextId, plan, random: seededRandom(plan.seed), struck: 0 });
    return this.nextId++;
  }

  clear(): void {
    this.armed = [];
    this.plans = [];
  }

  /** The fault that strikes this call at this stage, used up by the asking. */
  take(stage: FaultStage, target: FaultTarget, nowMs: number): Strike | undefined {
    return this.takeArmed(stage, target, nowMs, 1)[0] ?? this.rollPlans(stage, target)[0];
  }

  /** All faults that strike this call at this stage, for stages where they add up. */
  takeAll(stage: FaultStage, target: FaultTarget, nowMs: number): Strike[] {
    return [...this.takeArmed(stage, target, nowMs, Infinity), ...this.rollPlans(stage, target)];
  }

  /** What is switched on, for `GET /admin/faults`. `left` is null for a fault without a limit. */
  describe(nowMs: number): unknown[] {
    this.dropSpent(nowMs);
    return [
      ...this.armed.map(({ id, fault, left, struck }) => ({
        id,
        ...fault,
        left: Number.isFinite(left) ? left : null,
        struck,
      })),
      ...this.plans.map(({ id, plan, struck }) => ({ id, ...plan, struck })),
    ];
  }

  private takeArmed(stage: FaultStage, target: FaultTarget, nowMs: number, limit: number): Strike[] {
    this.dropSpent(nowMs);
    const taken = this.armed
      .filter(({ fault }) => strikes(fault.kind, stage, fault.gpu, target) && fits(fault.match, target))
      .slice(0, limit);
    for (const armed of taken) {
      armed.left -= 1;
      armed.struck += 1;
    }
    return taken.map((armed) => armed.fault);
  }

  private rollPlans(stage: FaultStage, target: FaultTarget): Strike[] {
    return this.plans.flatMap((entry) => {
      const { plan, random } = entry;
      const kinds = plan.kinds.filter((kind) => strikes(kind, stage, plan.gpu, target));
      if (kinds.length === 0 || !fits(plan.match, target) || random() >= plan.probability) return [];
      const kind = kinds[Math.floor(random() * kinds.length)];
      if (kind === undefined) return [];
      entry.struck += 1;
      return [{ ...plan, kind }];
    });
  }

  private dropSpent(nowMs: number): void {
    this.armed = this.armed.filter(({ fault, armedAtMs, left }) => {
      const overdue = fault.forSeconds !== undefined && nowMs >= armedAtMs + fault.forSeconds * 1000;
      return left > 0 && !overdue;
    });
  }
}
