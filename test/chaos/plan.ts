import { seeded } from '../support/random.js';
import { CONFIG, type ChaosConfig } from './bounds.js';
import {
  FAILURE_NAMES,
  FAILURES,
  GROUPS,
  impossibleIn,
  impossiblePair,
  isTerminal,
  PHASES,
  type Failure,
  type FailureName,
  type Group,
  type Phase,
} from './failures.js';

/** One session of a run: the phase it is to be in at the strike, and when in it, from 0 (its start) to 1. */
export interface PlannedSession {
  readonly name: string;
  readonly phase: Phase;
  readonly moment: number;
}

/** One strike at a stack: a failure, or two, and the sessions that it meets. */
export interface PlannedRun {
  readonly index: number;
  /** The first strikes at 0. */
  readonly failures: readonly [Failure] | readonly [Failure, Failure];
  readonly sessions: readonly PlannedSession[];
  /** Jobs that are held at the strike get their answer so long after it. */
  readonly releaseSeconds: number;
}

/** How often each failure strikes alone before pairs come. */
const SINGLE_ROUNDS = 3;
const SESSIONS_OF_A_PAIR = 3;

export interface PlanOptions {
  readonly runs: number;
  readonly seed: number;
  /** Only runs with these failures; all when empty. */
  readonly failures?: readonly FailureName[];
  /** Number of the first run. */
  readonly firstIndex?: number;
  readonly config?: ChaosConfig;
}

type Random = () => number;

/**
 * The choice of failures, phases and moments, by the seed alone. Each failure alone comes three times, in different manners,
 * with a session in every phase; then each pair once, with sessions in random phases; then random pairs.
 */
export function planRuns({ runs, seed, failures = [], firstIndex = 0, config = CONFIG }: PlanOptions): PlannedRun[] {
  const random = seeded(seed);
  const isWanted = (name: FailureName): boolean => failures.length === 0 || failures.includes(name);
  const membersOf = (group: Group): FailureName[] =>
    FAILURE_NAMES.filter((name) => FAILURES[name].group === group && isWanted(name));
  const singles = FAILURE_NAMES.filter(isWanted);
  const pairs = allPairs().filter((pair) => pair.every((group) => membersOf(group).length > 0));
  const mannerAt = Object.fromEntries(FAILURE_NAMES.map((name) => [name, Math.floor(random() * 6)]));
  const draw = (name: FailureName, afterSeconds: number): Failure => {
    const { manners } = FAILURES[name];
    const manner = manners[(mannerAt[name] ?? 0) % manners.length] ?? '';
    mannerAt[name] = (mannerAt[name] ?? 0) + 1;
    const restarts = name.endsWith('-killed') || name === 'runpod-gone' || isTerminal(name);
    const [from, to] = restarts ? [0.5, config.restartSeconds] : [2, config.outageSeconds];
    return { name, manner, seconds: between(random, from, to), afterSeconds };
  };
  const rounds = Array.from({ length: SINGLE_ROUNDS }, () => shuffled(random, singles)).flat();
  const chosen: FailureName[][] = rounds.map((name) => [name]);
  while (chosen.length < runs) {
    const further =
      pairs.length > 0
        ? shuffled(random, pairs).map((pair) => pair.map((group) => one(random, membersOf(group))))
        : singles.map((name) => [name]);
    chosen.push(...further);
  }
  return chosen.slice(0, runs).map((names, at) => {
    const index = firstIndex + at;
    // What kills for good comes last, else the other could not be told from nothing.
    const order = shuffled(random, names).sort((a, b) => Number(isTerminal(a)) - Number(isTerminal(b)));
    const struck = order.map((name, at) => draw(name, at === 0 ? 0 : between(random, 0, config.gapSeconds)));
    const possible = PHASES.filter((phase) => names.every((name) => impossibleIn(name, phase) === undefined));
    const phases = names.length === 1 ? possible : shuffled(random, possible).slice(0, SESSIONS_OF_A_PAIR);
    return {
      index,
      failures: struck as [Failure] | [Failure, Failure],
      sessions: phases.map((phase) => ({ name: `r${index}-${phase}`, phase, moment: random() })),
      releaseSeconds: between(random, 0.5, 6),
    };
  });
}

/** Unordered, without those that are no pair of their own. */
export function allPairs(): [Group, Group][] {
  return GROUPS.flatMap((a, at) =>
    GROUPS.slice(at + 1)
      .filter((b) => impossiblePair(a, b) === undefined)
      .map((b): [Group, Group] => [a, b]),
  );
}

function one<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!;
}

function between(random: Random, from: number, to: number): number {
  return Math.round((from + random() * (to - from)) * 100) / 100;
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(random() * left.length), 1)[0]!);
}
