import { ApplicationFailure } from '@temporalio/common';
import { jobIdOf, parsePodName, sessionNameOf, type PodNameParts } from '../../../src/contract/index.js';
import type { PodRecord } from '../../../emulator/core/pod.js';
import type { Claim, PlannedFault } from '../faults/fault.js';
import type { World } from '../world/world.js';

/** A fault that has struck, in the phase in which it did. */
export interface StruckFault {
  readonly fault: PlannedFault;
  /** Whether it took effect, asked after the run. */
  readonly tookEffect: () => boolean;
}

export function hasStruck(struck: readonly StruckFault[], names: readonly string[]): boolean {
  return struck.some(({ fault }) => names.includes(fault.kind.name));
}

/** What has struck that may cost people what they claim. */
export function costing(struck: readonly StruckFault[], claim: Claim): StruckFault[] {
  return struck.filter(({ fault: { kind } }) => kind.mayCost?.includes(claim) === true);
}

/** A pod of ours as RunPod has it, with what its gate saw. Times are epoch milliseconds. */
export interface PodTruth {
  readonly pod: Readonly<PodRecord>;
  readonly parts: PodNameParts;
  readonly endMs: number;
  readonly isAlive: boolean;
  readonly readyAtMs: number | undefined;
  readonly lastUseMs: number | undefined;
  readonly readyByMs: number;
  readonly hardDeadlineMs: number;
  readonly idleSeconds: number;
}

/** What a pod was created with: RunPod forgets it when the pod ends. */
export type CreatedWith = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** All pods that bear names of ours, from RunPod's books and the pods' own gates alone. */
export function podsOfOurs(world: World, created: CreatedWith, owner: string): PodTruth[] {
  return world.cloud.ledger.flatMap(({ id, name }) => {
    const pod = world.cloud.pod(id);
    const parts = parsePodName(name);
    const env = created.get(id);
    if (!pod || parts?.owner !== owner || !env) return [];
    const machine = world.cloud.machines.get(id);
    return [
      {
        pod,
        parts,
        endMs: pod.terminatedAtMs ?? Infinity,
        isAlive: pod.status !== 'TERMINATED',
        readyAtMs: machine?.readyAtMs,
        lastUseMs:
          machine && machine.inFlight > 0 && pod.terminatedAtMs === null ? world.kernel.nowMs : machine?.lastUseEndMs,
        readyByMs: Number(env.DEVLOOP_READY_BY) * 1000,
        hardDeadlineMs: parts.hardDeadlineSeconds * 1000,
        idleSeconds: Number(env.DEVLOOP_IDLE_SECONDS),
      },
    ];
  });
}

export interface JobTruth {
  readonly jobId: string;
  readonly session: string;
  readonly status: string;
  readonly startedAtMs: number;
  readonly closedAtMs: number | undefined;
  readonly timeoutSeconds: number;
  readonly failureType: string | undefined;
}

export function jobsOf(world: World): JobTruth[] {
  return world.temporal.executions().flatMap((run) => {
    const jobId = jobIdOf(run.workflowId);
    if (jobId === undefined) return [];
    const { session = 'default', timeoutSeconds = 1800 } = run.input[0] as {
      session?: string;
      timeoutSeconds?: number;
    };
    const { status, startedAtMs, closedAtMs } = run;
    return [{ jobId, session, status, startedAtMs, closedAtMs, timeoutSeconds, failureType: typeOf(run.failure) }];
  });
}

function typeOf(failure: Error | undefined): string | undefined {
  return failure instanceof ApplicationFailure ? (failure.type ?? undefined) : failure?.name;
}

export interface EndedSession {
  readonly session: string;
  readonly firstRunId: string;
  readonly status: string;
  readonly closedAtMs: number;
}

/** Sessions that have come to an end of their own: nobody has terminated them, and no reset has brought them back. */
export function endedSessions(world: World): EndedSession[] {
  return closedSessions(world).filter(({ status }) => status !== 'TERMINATED' && status !== 'CONTINUED_AS_NEW');
}

/** Sessions that somebody has terminated, and no reset has brought back. */
export function terminatedSessions(world: World): EndedSession[] {
  return closedSessions(world).filter(({ status }) => status === 'TERMINATED');
}

/** As the last run of each says. */
function closedSessions(world: World): EndedSession[] {
  const newest = new Map(world.temporal.executions().map((run) => [run.firstRunId, run]));
  return [...newest.values()].flatMap(({ workflowId, firstRunId, status, closedAtMs }) => {
    const session = sessionNameOf(workflowId);
    return session === undefined || closedAtMs === undefined ? [] : [{ session, firstRunId, status, closedAtMs }];
  });
}
