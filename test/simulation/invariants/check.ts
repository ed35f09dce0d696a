import { ERROR_CODES } from '../../../src/contract/index.js';
import { HEARTBEAT_SECONDS } from '../faults/limits.js';
import type { World } from '../world/world.js';
import { OWNER } from '../../support/tester.js';
import { boundOf, isKept, putOffSeconds, SLACK_SECONDS } from './bounds.js';
import type { Ledgers } from './ledgers.js';
import { isDeniedTwice, mayHidePods } from './lies.js';
import {
  endedSessions,
  hasStruck,
  jobsOf,
  podsOfOurs,
  terminatedSessions,
  type EndedSession,
  type PodTruth,
  type StruckFault,
} from './truth.js';

const ON_ITS_WAY_MS = 250;

const clock = (ms: number): string => (Number.isFinite(ms) ? new Date(ms).toISOString().slice(11, 19) : 'never');

/** What must be true at the end of every story. @returns what is not, a sentence each */
export function broken(world: World, ledgers: Ledgers, struck: readonly StruckFault[]): string[] {
  const pods = podsOfOurs(world, ledgers.created, OWNER);
  const ended = endedSessions(world);
  return [
    ...world.temporal.findings,
    ...ledgers.findings,
    ...pods.flatMap((pod) => late(world, pod, struck)),
    // RunPod ends in the end what it would not end before.
    ...pods.filter(({ isAlive }) => isAlive).map(({ pod }) => `pod ${pod.id} is still alive in the end`),
    ...overlaps(world, pods, struck),
    ...leftBehind(world, ended, pods, struck),
    ...createdTooLate(ended, pods, 0),
    ...createdTooLate(terminatedSessions(world), pods, unawareMs(struck)),
    ...movedDeadlines(pods),
    ...bootsInVain(pods),
    ...jobsWithoutEnd(world, struck),
    ...longHistories(world),
  ];
}

function longHistories(world: World): string[] {
  return world.temporal
    .executions()
    .filter(({ historyLength }) => historyLength > world.longestHistory)
    .map(({ workflowId, historyLength }) => `the history of ${workflowId} has grown to ${historyLength} events`);
}

function late(world: World, truth: PodTruth, struck: readonly StruckFault[]): string[] {
  const boundMs = boundOf(world, truth, struck);
  if (truth.endMs <= boundMs || (truth.isAlive && world.kernel.nowMs <= boundMs)) return [];
  const by = Number.isFinite(truth.endMs) ? `${Math.round((truth.endMs - boundMs) / 1000)} s later` : 'never';
  return [`pod ${truth.pod.id} (${truth.pod.name}) had to be gone by ${clock(boundMs)} and was ${by}`];
}

/** Two pods of one session that cost at the same time. */
function overlaps(world: World, pods: readonly PodTruth[], struck: readonly StruckFault[]): string[] {
  // With all of ours dead each pod has its own bound.
  const untilMs = world.deadSinceMs ?? Infinity;
  const allowedMs = (SLACK_SECONDS + putOffSeconds(world, struck)) * 1000;
  return pods.flatMap((a, i) =>
    pods.slice(i + 1).flatMap((b) => {
      if (a.parts.session !== b.parts.session || isKept(a.parts.session, struck)) return [];
      const togetherMs = Math.min(a.endMs, b.endMs, untilMs) - Math.max(a.pod.createdAtMs, b.pod.createdAtMs);
      if (togetherMs <= allowedMs) return [];
      return [
        `pods ${a.pod.id} and ${b.pod.id} of session ${a.parts.session} cost at once for ${Math.round(togetherMs / 1000)} s`,
      ];
    }),
  );
}

/** A session that has ended by itself has seen all of its pods gone. */
function leftBehind(
  world: World,
  ended: readonly EndedSession[],
  pods: readonly PodTruth[],
  struck: readonly StruckFault[],
): string[] {
  const { weather } = world;
  if (isDeniedTwice(weather, struck)) return [];
  const seen = mayHidePods(weather, struck) ? pods.filter((pod) => !isUnnamed(world, pod, pods, struck)) : pods;
  return ended.flatMap(({ session, firstRunId, status, closedAtMs }) =>
    seen
      .filter(
        ({ parts, pod, endMs }) =>
          parts.firstRunId === firstRunId && pod.createdAtMs < closedAtMs && endMs > closedAtMs,
      )
      .map(({ pod }) => `session ${session} ended (${status}) at ${clock(closedAtMs)} while its pod ${pod.id} lived`),
  );
}

/** Its session may not know its id: of two of a name, after a reset, and where no answer to its create has come. */
function isUnnamed(
  { cloud }: World,
  { pod }: PodTruth,
  pods: readonly PodTruth[],
  struck: readonly StruckFault[],
): boolean {
  const isTwin = pods.some(({ pod: other }) => other.id !== pod.id && other.name === pod.name);
  return isTwin || hasStruck(struck, ['session-reset']) || cloud.machines.get(pod.id)?.wasAsked !== true;
}

/** So long a create may be on its way for a session that was terminated meanwhile; who was frozen knows by its heartbeat. */
function unawareMs(struck: readonly StruckFault[]): number {
  const isFrozen = struck.some(({ fault }) => fault.kind.name.startsWith('worker-frozen'));
  return isFrozen ? HEARTBEAT_SECONDS * 1000 : ON_ITS_WAY_MS;
}

/** A process that was frozen on its way to RunPod must not rent for a session that is over. */
function createdTooLate(ended: readonly EndedSession[], pods: readonly PodTruth[], unawareMs: number): string[] {
  return ended.flatMap(({ session, firstRunId, closedAtMs }) =>
    pods
      .filter(({ parts, pod }) => parts.firstRunId === firstRunId && pod.createdAtMs > closedAtMs + unawareMs)
      .map(({ pod }) => `pod ${pod.id} was rented after its session ${session} had ended`),
  );
}

/** Fixed for all attempts of a session, and the same in name and environment. */
function movedDeadlines(pods: readonly PodTruth[]): string[] {
  const first = new Map<string, number>();
  return pods.flatMap(({ pod, parts, hardDeadlineMs }) => {
    const known = first.get(parts.firstRunId) ?? hardDeadlineMs;
    first.set(parts.firstRunId, known);
    return known === hardDeadlineMs ? [] : [`pod ${pod.id}: the hard deadline of its session has moved`];
  });
}

/** When so many pods of a session in a row did not serve, the trouble is not one pod's. */
const MOST_BOOTS = 3;

function bootsInVain(pods: readonly PodTruth[]): string[] {
  const inVain = new Map<string, Set<number>>();
  return pods
    .toSorted((a, b) => a.pod.createdAtMs - b.pod.createdAtMs)
    .flatMap(({ parts: { firstRunId, session, attempt }, readyAtMs }) => {
      const attempts = readyAtMs === undefined ? (inVain.get(firstRunId) ?? new Set()) : new Set<number>();
      if (readyAtMs === undefined) attempts.add(attempt);
      inVain.set(firstRunId, attempts);
      return attempts.size === MOST_BOOTS + 1
        ? [`${attempts.size} pods of session ${session} in a row did not boot`]
        : [];
    });
}

function jobsWithoutEnd(world: World, struck: readonly StruckFault[]): string[] {
  if (world.deadSinceMs !== undefined) return [];
  const put = struck.reduce((sum, { fault: { kind, seconds } }) => sum + Math.min(kind.puts(seconds), 1000), 0);
  return jobsOf(world).flatMap(({ jobId, status, startedAtMs, closedAtMs, timeoutSeconds, failureType }) => {
    if (status === 'RUNNING') return [`job ${jobId} has not ended`];
    const lateMs = (closedAtMs ?? 0) - startedAtMs - (timeoutSeconds + 60 + put) * 1000;
    if (lateMs > 0) return [`job ${jobId} ended ${Math.round(lateMs / 1000)} s after its time`];
    const isClear = status !== 'FAILED' || ERROR_CODES.some((code) => code === failureType);
    const isEnd = ['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED'].includes(status);
    return isClear && isEnd ? [] : [`job ${jobId} ended without a clear reason: ${status} ${failureType ?? ''}`];
  });
}
