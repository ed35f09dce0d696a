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
  /** It uses the pod, is busy with something else for so long, and uses it again. */
  readonly pauses?: number;
  /**
   * Another project's worker is to do it; `absent`: none serves the queue. `forbidden`: the operator does not allow it.
   * `deaf`: it heeds no cancel. `garbled`: nobody can read its answer.
   */
  readonly runner?: 'served' | 'absent' | 'forbidden' | 'deaf' | 'garbled' | undefined;
}

/** A lease of a program outside Temporal. */
export interface PlannedHolder {
  readonly leaseId: string;
  readonly at: number;
  /** From the grant on. */
  readonly uses: number;
  readonly project?: string;
  readonly hold: boolean;
  /** Its clock is ahead by so much. */
  readonly ahead: number;
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
  /** RunPod has no GPU of the kind that it likes best. */
  readonly isSoldOut: boolean;
}

/** What a session has to come to, for the faults that are planned for it. */
export interface Wanted {
  readonly phases: ReadonlySet<Phase>;
  /** Its first job outlasts a lease's term. */
  readonly longWork: boolean;
  /** Somebody sends a job when others may be done. */
  readonly lateJob: boolean;
  /** Its first job is a runner's. */
  readonly runner: boolean;
  /** Most likely its pods have no switch. */
  readonly noSwitch: boolean;
}

export function planSession(
  kernel: Kernel,
  name: string,
  { phases, longWork, lateJob, runner, noSwitch }: Wanted,
): PlannedSession {
  const stopsInUse = phases.has('drain');
  const jobCount = kernel.integer(phases.has('serve') || stopsInUse || lateJob ? 1 : 0, 3) + Number(lateJob);
  const isShortLife = kernel.chance(0.08);
  const endsLate = isShortLife && kernel.chance(0.5);
  const gpus = kernel.chance(0.3)
    ? ['NVIDIA GeForce RTX 4090', 'NVIDIA GeForce RTX 3090']
    : ['NVIDIA GeForce RTX 4090'];
  const isChoosy = gpus.length > 1 && kernel.chance(0.2);
  const idleTimeoutSeconds = Math.round(kernel.between(20, 150));
  const input: PodSessionInput = {
    session: name,
    gpus,
    ...(isChoosy && { maxPriceUsdPerHour: 0.5 }),
    idleTimeoutSeconds,
    readyTimeoutSeconds: Math.round(kernel.between(45, 90)),
    drainSeconds: endsLate ? 60 : kernel.pick([0, 10, 60]) || (stopsInUse ? 30 : 0),
    maxLifetimeSeconds: Math.round(isShortLife ? kernel.between(60, 150) : kernel.between(600, 1800)),
    maxCostUsd: kernel.chance(0.15) ? kernel.between(0.03, 0.1) : 5,
    maxConcurrentLeases: kernel.integer(1, 4),
    guard: kernel.chance(noSwitch ? 0.75 : isShortLife ? 0.5 : 0.25) ? 'none' : 'deadman',
    startedBy: 'simulation',
  };
  const starts = kernel.chance(0.6) || jobCount === 0 ? [kernel.between(0, 5)] : [];
  const jobs = Array.from({ length: jobCount }, (_, i): PlannedJob => {
    const isLate = lateJob && i === jobCount - 1;
    const isLong = i === 0 && (longWork || endsLate || (isShortLife && kernel.chance(0.5)));
    const its = runner && i === 0 ? 'served' : runnerOf(kernel, i > 0);
    // The pod's switch would not wait so long for a use.
    const pauses = its === undefined && !isLong && kernel.chance(PAUSING) ? idleTimeoutSeconds + 150 : 0;
    return {
      jobId: `${name}-${i}`,
      at: isLate ? kernel.between(150, 250) : i === 0 ? kernel.between(0, 10) : kernel.between(0, 250),
      // Work that a short life ends is the only way into a drain at the end of a life.
      runs: isLong
        ? kernel.between(...LONG_WORK)
        : runSeconds(kernel, stopsInUse ? 15 : 2, isLate || phases.has('idle')),
      timeout: isLate ? LATE_JOB_SECONDS : kernel.chance(0.1) ? kernel.between(20, 60) : 900 + 2 * pauses,
      pauses,
      runner: its,
    };
  });
  return {
    name,
    input,
    starts: starts.length > 0 && kernel.chance(0.15) ? [...starts, starts[0]! + kernel.random() * 0.2] : starts,
    jobs,
    holders: kernel.chance(0.25)
      ? [
          {
            leaseId: `${name}-external`,
            at: kernel.between(0, 120),
            uses: kernel.between(10, 240),
            hold: kernel.chance(0.4),
            ahead: kernel.chance(0.2) ? 3_600 : 0,
            idles: kernel.chance(0.4),
            dies: kernel.chance(0.3),
          },
        ]
      : [],
    // So near the end of a short life a drain does not fit in.
    stopAt: endsLate
      ? (starts[0] ?? jobs[0]!.at) + input.maxLifetimeSeconds! - kernel.between(5, 55)
      : kernel.chance(0.2)
        ? kernel.between(5, 250)
        : undefined,
    stopsInUse,
    isSoldOut: gpus.length > 1 && !isChoosy && kernel.chance(0.3),
  };
}

/** So many agents are busy without the pod for a while. */
const PAUSING = 0.08;
/** Seconds: longer than a lease's term. */
const LONG_WORK = [310, 460] as const;
/** A pod that is stuck holds up nobody for longer, and is stuck still when this is over. */
const LATE_JOB_SECONDS = 420;

function runnerOf(kernel: Kernel, mayBeAbsent: boolean): PlannedJob['runner'] {
  if (kernel.chance(0.15)) return 'served';
  return mayBeAbsent && kernel.chance(0.1) ? kernel.pick(['absent', 'forbidden'] as const) : undefined;
}

/** Most answers take seconds; some take minutes. */
function runSeconds(kernel: Kernel, least: number, isShort: boolean): number {
  const [from, to] = isShort || kernel.chance(0.75) ? [least, 40] : kernel.chance(0.5) ? [60, 150] : LONG_WORK;
  return kernel.between(from, to);
}
