import type { PodRecord } from '../../../emulator/core/pod.js';
import { parsePodName, type PodSessionInput } from '../../../src/contract/index.js';
import { OWNER } from '../../support/tester.js';
import { faultKinds } from '../faults/catalog.js';
import type { PlannedFault } from '../faults/fault.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Phase } from '../phases.js';
import type { Cloud } from '../world/cloud.js';
import type { PlannedHolder, PlannedJob, PlannedSession } from '../world/plan.js';
import { calm, type Weather } from '../world/weather.js';
import type { World } from '../world/world.js';

/**
 * A situation that chance brings about too rarely, or hides behind something else: what is special about it is written
 * here, the rest is drawn. Beside what must be true of every story it says what must be true of this one.
 */
export interface Scene {
  readonly name: string;
  readonly sessions: (kernel: Kernel) => readonly PlannedSession[];
  readonly faults?: (kernel: Kernel) => readonly PlannedFault[];
  readonly weather?: (kernel: Kernel, cloud: Cloud) => Partial<Weather>;
  /** Before the story begins. @returns what is asked at its end, if more than of all: what is not as it must be, a sentence each */
  readonly play?: (world: World) => (() => readonly string[]) | void;
}

export const NAME = 's0';
const LONGEST_PAUSE_SECONDS = 10;

/** One that starts with the story and ends by itself, unless the scene says otherwise. */
export function session(
  input: Partial<PodSessionInput>,
  people: Partial<Omit<PlannedSession, 'name' | 'input'>> = {},
  name = NAME,
): PlannedSession {
  return {
    name,
    input: {
      session: name,
      gpus: ['NVIDIA GeForce RTX 4090'],
      idleTimeoutSeconds: 60,
      readyTimeoutSeconds: 90,
      drainSeconds: 10,
      maxLifetimeSeconds: 1800,
      maxCostUsd: 5,
      maxConcurrentLeases: 1,
      guard: 'deadman',
      startedBy: 'simulation',
      ...input,
    },
    starts: [0],
    jobs: [],
    holders: [],
    stopAt: undefined,
    stopsInUse: false,
    isSoldOut: false,
    ...people,
  };
}

export function job(jobId: string, its: Partial<PlannedJob> & Pick<PlannedJob, 'at' | 'runs'>): PlannedJob {
  return { jobId: `${NAME}-${jobId}`, timeout: 1500, pauses: 0, runner: undefined, ...its };
}

export function holder(its: Partial<PlannedHolder> & Pick<PlannedHolder, 'at' | 'uses'>): PlannedHolder {
  return { leaseId: `${NAME}-external`, hold: false, ahead: 0, idles: false, dies: false, ...its };
}

/** That fault of the catalog, so long after its session has come to the phase. */
export function fault(name: string, phase: Phase, afterSeconds: number, seconds = LONGEST_PAUSE_SECONDS): PlannedFault {
  const kind = faultKinds.find((one) => one.name === name);
  if (!kind) throw new Error(`there is no fault ${name}`);
  return { kind, phase, session: NAME, atCall: false, afterSeconds, seconds };
}

/** When somebody's request for the account's list leaves, whoever it is. */
export function onListing({ network }: World, act: () => void): void {
  network.watchers.push((stage, { method, url }) => {
    if (stage === 'leaves' && method === 'GET' && url.endsWith('/v2/pods')) act();
  });
}

/** In the order in which they were rented, those that have ended too. */
export function podsOfOwner({ cloud }: World): Readonly<PodRecord>[] {
  return cloud.ledger.flatMap(({ id, name }) => (parsePodName(name)?.owner === OWNER ? (cloud.pod(id) ?? []) : []));
}

/** What the scene leaves open is calm. */
export function weatherOf({ weather }: Scene): (kernel: Kernel, cloud: Cloud) => Weather {
  return (kernel, cloud) => {
    const whole = { ...calm(), ...weather?.(kernel, cloud) };
    cloud.settings({ listLagSeconds: whole.listLagSeconds });
    return whole;
  };
}
