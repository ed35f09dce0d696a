import type { PodSessionInput } from '../../../src/contract/index.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Phase } from '../phases.js';

/** A job that somebody sends. Times in seconds. */
export interface PlannedJob {
  readonly jobId: string;
  readonly at: number;
  /** What the model needs for it. */
  readonly runs: number;
  readonly timeout: number;
  readonly project?: string;
}

/** A lease of a program outside Temporal. */
export interface PlannedHolder {
  readonly leaseId: string;
  readonly at: number;
  /** From the grant on. */
  readonly uses: number;
  readonly project?: string;
  readonly hold: boolean;
  /** It asks again and again, and leaves the pod alone. */
  readonly idles: boolean;
  /** It dies in the end instead of giving its lease back. */
  readonly dies: boolean;
}

/** What people and programs do with one session, before chance strikes. */
export interface PlannedSession {
  readonly name: string;
  readonly input: PodSessionInput;
  /** Starts at these moments: two at once are a race. Empty: the first job starts it. */
  readonly starts: readonly number[];
  readonly jobs: readonly PlannedJob[];
  readonly holders: readonly PlannedHolder[];
  readonly stopAt: number | undefined;
  /** Somebody asks for the end while a job runs: the only way into a drain. */
  readonly stopsInUse: boolean;
}

/** What a session has to come to, for the faults that are planned for it. */
export interface Wanted {
  readonly phases: ReadonlySet<Phase>;
  /** Its first job outlasts a lease's term. */
  readonly longWork: boolean;
  /** Somebody sends a job when others may be done. */
  readonly lateJob: boolean;
}

export function planSession(kernel: Kernel, name: string, { phases, longWork, lateJob }: Wanted): PlannedSession {
  const between = (from: number, to: number): number => from + kernel.random() * (to - from);
  const stopsInUse = phases.has('drain');
  const jobCount = kernel.integer(phases.has('serve') || stopsInUse || lateJob ? 1 : 0, 3) + Number(lateJob);
  const input: PodSessionInput = {
    session: name,
    gpus: kernel.chance(0.3) ? ['NVIDIA GeForce RTX 4090', 'NVIDIA GeForce RTX 3090'] : ['NVIDIA GeForce RTX 4090'],
    idleTimeoutSeconds: Math.round(between(20, 150)),
    readyTimeoutSeconds: Math.round(between(45, 90)),
    drainSeconds: kernel.pick([0, 10, 60]) || (stopsInUse ? 30 : 0),
    maxLifetimeSeconds: Math.round(kernel.chance(0.08) ? between(60, 150) : between(600, 1800)),
    maxCostUsd: kernel.chance(0.15) ? between(0.03, 0.1) : 5,
    maxConcurrentLeases: kernel.integer(1, 4),
    guard: kernel.chance(0.25) ? 'none' : 'deadman',
    startedBy: 'simulation',
  };
  const isShortLife = input.maxLifetimeSeconds! < 600;
  const starts = kernel.chance(0.6) || jobCount === 0 ? [between(0, 5)] : [];
  return {
    name,
    input,
    starts: starts.length > 0 && kernel.chance(0.15) ? [...starts, starts[0]! + kernel.random() * 0.2] : starts,
    jobs: Array.from({ length: jobCount }, (_, i) => ({
      jobId: `${name}-${i}`,
      at: lateJob && i === jobCount - 1 ? between(150, 250) : i === 0 ? between(0, 10) : between(0, 250),
      // Work that a short life ends is the only way into a drain at the end of a life.
      runs:
        i === 0 && (longWork || (isShortLife && kernel.chance(0.5)))
          ? between(...LONG_WORK)
          : runSeconds(kernel, stopsInUse ? 15 : 2, phases.has('idle')),
      timeout: kernel.chance(0.1) ? between(20, 60) : 900,
    })),
    holders: kernel.chance(0.25)
      ? [
          {
            leaseId: `${name}-external`,
            at: between(0, 120),
            uses: between(10, 240),
            hold: kernel.chance(0.4),
            idles: kernel.chance(0.4),
            dies: kernel.chance(0.3),
          },
        ]
      : [],
    stopAt: kernel.chance(0.2) ? between(5, 250) : undefined,
    stopsInUse,
  };
}

/** Seconds: longer than a lease's term. */
const LONG_WORK = [310, 460] as const;

/** Most answers take seconds; some take minutes. */
function runSeconds(kernel: Kernel, least: number, isShort: boolean): number {
  const [from, to] = isShort || kernel.chance(0.75) ? [least, 40] : kernel.chance(0.5) ? [60, 150] : LONG_WORK;
  return from + kernel.random() * (to - from);
}
