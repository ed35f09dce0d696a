import {
  BACK_OFF_SECONDS,
  CRON_SECONDS,
  GRACE_SECONDS,
  REAPER_SECONDS,
  runPodFails,
  SPREAD_SECONDS,
} from '../faults/limits.js';
import type { Weather } from '../world/weather.js';
import type { World } from '../world/world.js';
import { isDeniedTwice, listLies } from './lies.js';
import { hasStruck, jobsOf, type PodTruth, type StruckFault } from './truth.js';

/** Ends take a few calls, looks that are seconds apart, and timers that come up to a second late. */
export const SLACK_SECONDS = 20;
/** A lease outside Temporal that is not renewed: what its holders in the stories ask for. */
const LEASE_OUTSIDE_SECONDS = 60;
/** A DELETE that RunPod ignores is repeated with the next look at the list. */
const DEAF_SECONDS = 15;
/** A boot looks at RunPod's list so often. */
const LISTED_SECONDS = 10;
/** The emulator's pods have pulled their image by then, or failed to. */
const PULLS_MS = 800;
/** The switch looks every 5 s at most, and its call takes a moment. */
const SWITCH_SECONDS = 15;

/** Whether RunPod itself keeps a pod, until what has struck is taken away. */
export function isKept(session: string, struck: readonly StruckFault[]): boolean {
  return struck.some(({ fault }) => fault.session === session && fault.kind.puts(fault.seconds) === Infinity);
}

/** By how much all that has struck may put off an end, where RunPod itself keeps none. */
export function putOffSeconds({ weather }: World, struck: readonly StruckFault[]): number {
  const byWeather = [
    weather.isFrail ? BACK_OFF_SECONDS : 0,
    weather.listLagSeconds > 0 ? weather.listLagSeconds + SPREAD_SECONDS : 0,
    weather.isDeaf ? DEAF_SECONDS : 0,
  ];
  const byFaults = struck.map(({ fault }) => fault.kind.puts(fault.seconds)).filter(Number.isFinite);
  const sum = [...byWeather, ...byFaults].reduce((before, one) => before + one, 0);
  // A list that lies at a turn of the reaper costs a turn, where nothing but the reaper ends the pod.
  return sum + (isLeftToReaper(weather, struck) ? REAPER_SECONDS : 0);
}

const ORPHANING = [
  'session-terminated',
  'all-sessions-terminated',
  'session-reset',
  'bad-deploy',
  // Its pod may show when nobody looks for it any more.
  'create-500-created',
  'create-timeout-created',
];

function isLeftToReaper(weather: Weather, struck: readonly StruckFault[]): boolean {
  return isDeniedTwice(weather, struck) || (listLies(weather, struck) > 0 && hasStruck(struck, ORPHANING));
}

/** The latest moment, in epoch milliseconds, until which a pod may live. */
export function boundOf(world: World, truth: PodTruth, struck: readonly StruckFault[]): number {
  const keptMs = keptUntilMs(world, truth, struck);
  const byUs = Math.max(idealEndMs(world, truth), keptMs) + (SLACK_SECONDS + putOffSeconds(world, struck)) * 1000;
  const { deadSinceMs } = world;
  const isBroken = struck.some(
    ({ fault: { kind, session } }) => kind.name === 'bad-deploy' && session === truth.parts.session,
  );
  const atLeast = isBroken ? Math.max(byUs, withoutTheSession(truth, world, struck), nextTurnMs(keptMs)) : byUs;
  if (deadSinceMs === undefined || atLeast < deadSinceMs) return atLeast;
  return Math.max(atLeast, withoutUs(world, truth, struck));
}

/** The reaper asks again for an end with each of its turns. */
const nextTurnMs = (fromMs: number): number => fromMs + (REAPER_SECONDS + SLACK_SECONDS) * 1000;

/** RunPod itself may have kept it so long, whoever asked for its end; then it is asked again. */
function keptUntilMs({ healedAtMs = Infinity }: World, { parts }: PodTruth, struck: readonly StruckFault[]): number {
  return isKept(parts.session, struck) ? healedAtMs + BACK_OFF_SECONDS * 1000 : 0;
}

/** When the pod would end if nothing went wrong: its last use and the idle time, or an earlier end that was asked for. */
function idealEndMs(world: World, truth: PodTruth): number {
  const { session } = truth.parts;
  const drainMs = world.drainMsOf(session);
  const ends = [truth.hardDeadlineMs, ...stopsOf(world, truth).map((atMs) => atMs + drainMs)];
  ends.push(...momentsFor(truth, world.users.terminations));
  const failedAtMs = failedToBootMs(truth);
  if (failedAtMs !== undefined) ends.push(failedAtMs + LISTED_SECONDS * 1000);
  if (truth.readyAtMs === undefined) ends.push(truth.readyByMs);
  else ends.push(lastWantedMs(world, truth, truth.readyAtMs) + truth.idleSeconds * 1000);
  return Math.min(...ends);
}

/** Its image could not be pulled, and RunPod shows that. */
function failedToBootMs({ pod, readyAtMs }: PodTruth): number | undefined {
  return pod.destiny.imageFailsTo === undefined || readyAtMs !== undefined ? undefined : pod.createdAtMs + PULLS_MS;
}

function stopsOf({ users }: World, truth: PodTruth): number[] {
  return momentsFor(truth, users.stopsAsked);
}

/** What was done to the pod's session while there was the pod. */
function momentsFor({ parts, pod }: PodTruth, done: readonly { session: string; atMs: number }[]): number[] {
  return done
    .filter(({ session, atMs }) => session === parts.session && atMs >= pod.createdAtMs)
    .map(({ atMs }) => atMs);
}

/** The last moment at which somebody used the pod or had a right to. */
function lastWantedMs(world: World, truth: PodTruth, readyAtMs: number): number {
  const { session } = truth.parts;
  const drains = [...stopsOf(world, truth), truth.hardDeadlineMs - world.drainMsOf(session)];
  const uses = [readyAtMs, truth.lastUseMs ?? 0];
  for (const job of jobsOf(world)) {
    // Whose runner is not allowed is refused before it asks for a pod.
    if (world.plannedJob(session, job.jobId)?.runner === 'forbidden') continue;
    if (job.session !== session || job.startedAtMs > truth.endMs) continue;
    uses.push(Math.min(job.closedAtMs ?? world.kernel.nowMs, truth.endMs));
  }
  for (const held of world.users.holds) {
    if (held.session !== session || held.fromMs > truth.endMs) continue;
    const untilMs = held.givenBackMs ?? held.toMs + LEASE_OUTSIDE_SECONDS * 1000;
    const lastMs = Math.max(held.fromMs, truth.lastUseMs ?? 0);
    const idleMs = truth.idleSeconds * 1000;
    // Unused for the idle time it has not held the pod; given back before that, its end is a use. A drain is for its holder too.
    const isShort = untilMs <= lastMs + idleMs;
    const isUse = held.hold || isShort || drains.some((atMs) => held.fromMs <= atMs && atMs <= untilMs);
    // Nobody gives back what a holder had that has died: that it is found out is no use.
    const endMs = held.givenBackMs ?? Math.max(lastMs, untilMs - idleMs);
    uses.push(Math.min(isUse ? endMs : lastMs, truth.endMs));
  }
  return Math.max(...uses);
}

/** With a session that cannot go on: the reaper, by the list and the gate alone. */
function withoutTheSession(truth: PodTruth, world: World, struck: readonly StruckFault[]): number {
  const lateMs = (GRACE_SECONDS + REAPER_SECONDS + SLACK_SECONDS + putOffSeconds(world, struck)) * 1000;
  const machine = world.cloud.machines.get(truth.pod.id);
  // Where a container runs, the switch alone tells whether it is ready and used.
  const isUntold = machine !== undefined && (machine.watchdog.isBroken || machine.isStopped);
  if (isUntold) return truth.hardDeadlineMs + lateMs;
  if (truth.readyAtMs === undefined) return Math.min(truth.readyByMs, truth.hardDeadlineMs) + lateMs;
  const lastMs = Math.max(truth.readyAtMs, truth.lastUseMs ?? 0);
  const unusedMs = lastMs + (truth.idleSeconds + 2 * GRACE_SECONDS) * 1000;
  return Math.min(unusedMs, truth.hardDeadlineMs + GRACE_SECONDS * 1000) + lateMs - GRACE_SECONDS * 1000;
}

/** With all of ours dead: the switch where it runs, else the cron elsewhere. */
function withoutUs(world: World, truth: PodTruth, struck: readonly StruckFault[]): number {
  const machine = world.cloud.machines.get(truth.pod.id);
  const keptMs = keptUntilMs(world, truth, struck);
  const runPodOut = struck.reduce(
    (sum, { fault }) => sum + (fault.kind.puts(fault.seconds) > 0 ? runPodFails(fault.seconds) : 0),
    0,
  );
  const lateMs = (SWITCH_SECONDS + runPodOut) * 1000;
  if (machine && !machine.isStopped && !machine.watchdog.isNoHelp) {
    const lastMs = Math.max(truth.readyAtMs ?? 0, truth.lastUseMs ?? 0);
    const due =
      truth.readyAtMs === undefined
        ? truth.readyByMs
        : Math.max(lastMs + (truth.idleSeconds + GRACE_SECONDS) * 1000, truth.readyByMs);
    return Math.max(Math.min(due, truth.hardDeadlineMs), keptMs) + lateMs;
  }
  // A turn of the cron at which RunPod fails or lies is lost.
  const turns = runPodOut > 0 ? 2 : 1;
  return Math.max(truth.hardDeadlineMs + GRACE_SECONDS * 1000, keptMs) + turns * CRON_SECONDS * 1000 + lateMs;
}
