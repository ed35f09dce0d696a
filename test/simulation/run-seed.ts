import { WORKFLOW_TYPES } from '../../src/contract/index.js';
import { Armed } from './arm.js';
import { thePod, type Claim } from './faults/fault.js';
import { cellName } from './faults/catalog.js';
import { broken } from './invariants/check.js';
import { Ledgers } from './invariants/ledgers.js';
import { isTakenForLost } from './invariants/lies.js';
import { unanswered } from './invariants/answers.js';
import { Renting } from './invariants/renting.js';
import { Rights, type Excuse } from './invariants/rights.js';
import { costing } from './invariants/truth.js';
import { Turns } from './invariants/turns.js';
import { NO_CAPS } from '../support/tester.js';
import { HASH_START, hashed } from './kernel/hash.js';
import { Kernel } from './kernel/kernel.js';
import { weatherOf } from './scenes/scene.js';
import { plannedFaults, sceneOf, wantedOf } from './story.js';
import { installGlobals } from './temporal/runtime/globals.js';
import { DEFAULT_BUDGET_USD, planSessions, World } from './world/world.js';

/** After this everything that faults have left behind is taken away. */
const HEAL_AFTER_MS = 12 * 60_000;
/** Longer than any session's lifetime, the reaper's and the cron's turns, and the longest retry. */
const OVER_AFTER_MS = 3 * 3_600_000;
/** The story goes on for so long after its end: what thaws late must not do harm. */
const EPILOGUE_MS = 4 * 60_000;
/** By then the last of the planned sessions, jobs and holders is there. */
const EVERYBODY_HAS_COME_MS = 260_000;
const LOOK_EVERY_MS = 5_000;

export interface SeedResult {
  readonly seed: number;
  readonly problems: readonly string[];
  /** The scene that it is, if it is one. */
  readonly scene: string | undefined;
  /** Names of the cells whose fault took effect. */
  readonly cells: readonly string[];
  readonly faults: number;
  /** Of every request of the story, with its moment: two runs of one seed have the same. */
  readonly digest: number;
}

/** @param only indices of the seed's faults that are kept; absent: all */
export async function runSeed(seed: number, only?: readonly number[]): Promise<SeedResult> {
  const all = plannedFaults(seed);
  const faults = only ? only.flatMap((i) => all[i] ?? []) : all;
  const kernel = new Kernel(seed);
  const uninstall = installGlobals(kernel);
  try {
    const scene = sceneOf(seed);
    const sessions = scene?.sessions(kernel) ?? planSessions(kernel, wantedOf(all));
    const world = new World(kernel, sessions, scene && weatherOf(scene));
    const digest = digestOf(world);
    const armed = new Armed(world, faults);
    const ledgers = new Ledgers(world);
    const isExcusedFrom: Excuse = (session, claim) => isExcused(world, armed, session, claim);
    const rights = new Rights(world, ledgers.created, isExcusedFrom);
    const renting = new Renting(world, isExcusedFrom);
    const turns = new Turns(world, isExcusedFrom);
    const asked = scene?.play?.(world);
    world.begin();
    const startMs = kernel.nowMs;
    await kernel.run(startMs + HEAL_AFTER_MS, overWatch(world, startMs + EVERYBODY_HAS_COME_MS));
    armed.disarm();
    world.heal();
    await kernel.run(startMs + OVER_AFTER_MS, overWatch(world, startMs + EVERYBODY_HAS_COME_MS));
    await kernel.run(kernel.nowMs + EPILOGUE_MS);
    const problems = [
      ...broken(world, ledgers, armed.struck),
      ...rights.findings,
      ...renting.findings,
      ...turns.findings,
      ...unanswered(world, armed.struck, isExcusedFrom),
      ...(asked?.() ?? []),
      ...ledgers.strangersLost,
      ...(kernel.isExhausted ? ['the story comes to no end'] : []),
    ];
    const effective = armed.struck.filter(({ tookEffect }) => tookEffect());
    return {
      seed,
      problems,
      scene: scene?.name,
      cells: effective.map(({ fault }) => cellName(fault)),
      faults: effective.length,
      digest: digest(),
    };
  } finally {
    uninstall();
  }
}

function digestOf(world: World): () => number {
  let hash = HASH_START;
  world.network.watchers.push((stage, { method, url }) => {
    hash = hashed(`${world.kernel.nowMs} ${stage} ${method} ${url}`, hash);
  });
  return () => hash >>> 0;
}

/** Nothing of ours bills or runs any more, and nothing is about to begin. Looks once in a while: a look costs more than an event. */
function overWatch(world: World, fromMs: number): () => boolean {
  const { kernel } = world;
  let lookAtMs = fromMs;
  return () => {
    if (kernel.nowMs < lookAtMs) return false;
    lookAtMs = kernel.nowMs + LOOK_EVERY_MS;
    return isOver(world);
  };
}

export function isOver(world: World): boolean {
  if (world.cloud.alive.some(({ id }) => world.cloud.machines.has(id))) return false;
  return world.temporal
    .executions()
    .every(({ status, type }) => status !== 'RUNNING' || type === WORKFLOW_TYPES.podReaper);
}

/** Something has struck that may cost this session's people what they claim, or somebody has asked for the end. */
function isExcused(world: World, armed: Armed, session: string, claim: Claim): boolean {
  const isDisturbed = costing(armed.struck, claim).length > 0;
  const isGivenUp = isTakenForLost(world.weather, armed.struck) && thePod.includes(claim);
  const isAsked = world.users.stopsAsked.some((stop) => stop.session === session);
  const { caps, isFrail } = world.weather;
  // Where no pod lasts the first to come is still served first.
  const isByWeather = (isFrail && claim !== 'turn') || (caps !== NO_CAPS && claim === 'answer');
  return isDisturbed || isGivenUp || isAsked || isByWeather || world.budgetUsdOf(session) < DEFAULT_BUDGET_USD;
}
