import { renderTable } from '../../src/cli/table.js';
import { FAILURE_NAMES, GROUPS, impossibleIn, impossiblePair, PHASES } from './failures.js';
import type { Cell, Figures, PairCell } from './matrix.js';

/** What a run of the program found, as `--json` prints it. */
export interface ChaosReport {
  readonly runs: number;
  readonly seed: number;
  readonly seconds: number;
  /** Empty is good. */
  readonly failed: readonly FailedRun[];
  readonly cells: readonly Cell[];
  readonly pairs: readonly PairCell[];
  readonly sessions: number;
  /** Sessions whose pod had ended by itself before the strike: they count nowhere. */
  readonly gone: number;
  readonly facts: Readonly<Record<string, string>>;
}

export interface FailedRun {
  /** Null: of all runs together. */
  readonly run: number | null;
  readonly seed: number;
  readonly session: string | null;
  readonly pods: readonly string[];
  readonly problem: string;
}

/** A cell as people read it. */
export function cellText({ n, p50, max, bound }: Figures & { readonly bound: number | null }): string {
  if (n === 0 || p50 === null || max === null || bound === null) return n === 0 ? 'n 0' : `n ${n}`;
  return `n ${n}: ${p50} / ${max} / ${bound}`;
}

export function singleRows(cells: readonly Cell[]): string[][] {
  return FAILURE_NAMES.map((failure) => [
    failure,
    ...PHASES.map((phase) => {
      const cell = cells.find((one) => one.failure === failure && one.phase === phase);
      return cell === undefined || cell.impossible !== undefined ? '–' : cellText(cell);
    }),
  ]);
}

export function pairRows(pairs: readonly PairCell[]): string[][] {
  return pairs.map((cell) => [cell.pair.join(' + '), cellText(cell), cell.phases.join(', ')]);
}

/** Cells that there cannot be, each with the reason. */
export function omissions(): string[] {
  const cells = PHASES.flatMap((phase) => {
    const names = FAILURE_NAMES.filter((name) => impossibleIn(name, phase) !== undefined);
    const why = names[0] && impossibleIn(names[0], phase);
    return why === undefined ? [] : [`${names.join(', ')} in ${phase}: ${why}`];
  });
  const byReason = new Map<string, string[]>();
  for (const [at, a] of GROUPS.entries()) {
    for (const b of GROUPS.slice(at + 1)) {
      const why = impossiblePair(a, b);
      if (why !== undefined) byReason.set(why, [...(byReason.get(why) ?? []), `${a} + ${b}`]);
    }
  }
  return [...cells, ...[...byReason].map(([why, pairs]) => `${pairs.join(', ')}: ${why}`)];
}

export function terminalText({ cells, pairs, failed, facts, ...report }: ChaosReport): string {
  const header = ['failure', ...PHASES];
  const parts = [
    `${report.runs} runs, ${report.sessions} sessions struck, seed ${report.seed}, ${Math.round(report.seconds)} s`,
    ...Object.entries(facts).map(([name, value]) => `${name}: ${value}`),
    '',
    'Extra billed seconds, each failure alone (n: p50 / max / bound)',
    renderTable(header, singleRows(cells)),
    '',
    'Pairs, in whatever phase (n: p50 / max / widest bound)',
    renderTable(['pair', 'extra billed seconds', 'phases'], pairRows(pairs)),
    '',
    ...omissions().map((line) => `not measured: ${line}`),
    ...(report.gone > 0 ? [`${report.gone} sessions had ended before the strike and count nowhere`] : []),
    failed.length === 0 ? 'Every bound held.' : `${failed.length} FAILED`,
    ...failed.map(
      ({ run, seed, session, problem }) =>
        `${run === null ? 'all runs' : `run ${run}`} of seed ${seed}, ${session ?? 'as a whole'}: ${problem}`,
    ),
  ];
  return `${parts.join('\n')}\n`;
}
