import { boundOf, CONFIG, type ChaosConfig } from './bounds.js';
import { FAILURE_NAMES, FAILURES, impossibleIn, PHASES, type FailureName, type Group, type Phase } from './failures.js';
import { allPairs } from './plan.js';
import type { Measurement } from './run.js';

/** Sessions measured, and the seconds that their pods billed too long. Null where nothing was measured. */
export interface Figures {
  readonly n: number;
  readonly p50: number | null;
  readonly max: number | null;
}

export interface Cell extends Figures {
  readonly failure: FailureName;
  readonly phase: Phase;
  readonly bound: number | null;
  readonly arithmetic: string;
  /** Why there is no such cell. */
  readonly impossible?: string;
}

export interface PairCell extends Figures {
  readonly pair: readonly [Group, Group];
  /** The widest of those that were met. */
  readonly bound: number | null;
  readonly phases: readonly string[];
}

const isMeasured = ({ phase }: Measurement): boolean => phase !== 'gone';

/** Each failure alone in each phase. */
export function cellsOf(measured: readonly Measurement[], config: ChaosConfig = CONFIG): Cell[] {
  return FAILURE_NAMES.flatMap((failure) =>
    PHASES.map((phase): Cell => {
      const impossible = impossibleIn(failure, phase);
      if (impossible !== undefined) return { failure, phase, ...figures([]), bound: null, arithmetic: '', impossible };
      const { seconds, text } = boundOf([failure], phase, config);
      const met = measured.filter(
        (one) => one.failures.length === 1 && one.failures[0] === failure && one.phase === phase,
      );
      return { failure, phase, ...figures(met), bound: seconds, arithmetic: text };
    }),
  );
}

/** Each pair of failures, whatever the phase. */
export function pairsOf(measured: readonly Measurement[]): PairCell[] {
  const groupsOf = ({ failures }: Measurement): Group[] => failures.map((name) => FAILURES[name].group);
  return allPairs().map((pair) => {
    const met = measured.filter((one) => {
      const groups = groupsOf(one);
      return groups.length === 2 && pair.every((group) => groups.includes(group)) && isMeasured(one);
    });
    return {
      pair,
      ...figures(met),
      bound: met.length === 0 ? null : Math.max(...met.map(({ bound }) => bound.seconds)),
      phases: PHASES.filter((phase) => met.some((one) => one.phase === phase)),
    };
  });
}

/** A single failure has to have met each phase so often, a pair any phase once. */
const SINGLE_COUNT = 3;

const isRare = ({ n, impossible }: Cell): boolean => impossible === undefined && n < SINGLE_COUNT;

/** Failures that have met some phase too rarely, because a session had left it when they struck. */
export function failuresMetTooRarely(cells: readonly Cell[]): FailureName[] {
  return [...new Set(cells.filter(isRare).map(({ failure }) => failure))];
}

/** What a run of the whole matrix has not measured often enough, in words. */
export function notMeasured(cells: readonly Cell[], pairs: readonly PairCell[]): string[] {
  return [
    ...cells.filter(isRare).map(({ failure, phase, n }) => `${failure} × ${phase}: n ${n}, not ${SINGLE_COUNT}`),
    ...pairs.filter(({ n }) => n === 0).map(({ pair }) => `${pair.join(' + ')}: never`),
  ];
}

function figures(met: readonly Measurement[]): Figures {
  const sorted = met.map(({ extraSeconds }) => extraSeconds).sort((a, b) => a - b);
  const rounded = (value: number | undefined): number | null =>
    value === undefined ? null : Math.round(value * 10) / 10;
  return { n: sorted.length, p50: rounded(sorted[Math.floor((sorted.length - 1) / 2)]), max: rounded(sorted.at(-1)) };
}
