import { besideOf, type Invalid, type Mutant } from './mutant.js';
import type { Verdict } from './run-tests.js';

export type Suite = 'tests' | 'simulation';

export interface Outcome {
  readonly mutant: Mutant;
  readonly suite: Suite;
  readonly seconds: number;
  readonly result: Verdict | Invalid;
}

const BEGIN = '<!-- mutants: written by npm run mutants -- --write -->';
const END = '<!-- /mutants -->';
const NOT_RUN = 'not run';
/** No business of that suite. */
const NOBODYS = '–';

export function line({ mutant, seconds, result }: Outcome): string {
  const took = `${seconds.toFixed(1)} s`;
  const said =
    result.verdict === 'killed'
      ? `killed by ${result.by}`
      : result.verdict === 'survived'
        ? `SURVIVED ${result.of}`
        : `${result.verdict.toUpperCase()}: ${result.why}`;
  return `${mutant.rule} | ${mutant.name}: ${mutant.takenOut} | ${said} | ${took}`;
}

export function isKilled({ result }: Outcome): boolean {
  return result.verdict === 'killed';
}

/**
 * Puts the table of all mutants between the document's two markers. What was not run keeps what the table says of it.
 * @throws when the markers are not there
 */
export function withTable(document: string, mutants: readonly Mutant[], outcomes: readonly Outcome[]): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the document has no ${BEGIN} … ${END}`);
  const before = cellsOf(document.slice(begin + BEGIN.length, end));
  const rows = mutants.map((mutant) => row(mutant, mutants, outcomes, before));
  const table = ['| Rule | Taken out | Test that fails | Simulation |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
  return `${document.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${document.slice(end)}`;
}

type Cells = Readonly<Record<Suite, string | undefined>>;

/** By what is taken out. */
function cellsOf(table: string): ReadonlyMap<string, Cells> {
  const rows = table.split('\n').filter((text) => text.startsWith('| '));
  return new Map(
    rows.map((text) => {
      const [, , takenOut = '', tests, simulation] = text.split(/ ?(?<!\\)\| ?/);
      return [takenOut, { tests, simulation }];
    }),
  );
}

function row(
  mutant: Mutant,
  mutants: readonly Mutant[],
  outcomes: readonly Outcome[],
  before: ReadonlyMap<string, Cells>,
): string {
  const { rule, takenOut } = mutant;
  const by = (suite: Suite): string => {
    const outcome = outcomes.find((one) => one.mutant === mutant && one.suite === suite);
    return outcome ? cell(outcome, mutants) : (before.get(takenOut)?.[suite] ?? NOT_RUN);
  };
  return `| ${rule} | ${takenOut} | ${by('tests')} | ${mutant.alsoSimulation ? by('simulation') : NOBODYS} |`;
}

function cell({ mutant, result, suite }: Outcome, mutants: readonly Mutant[]): string {
  if (result.verdict === 'killed') {
    const others = suite === 'simulation' ? besideOf(mutant, mutants).map(({ takenOut }) => takenOut) : [];
    return [result.by, ...others].join(', where also ').replaceAll('|', '\\|');
  }
  return suite === 'simulation' && result.verdict === 'survived'
    ? `not within ${result.of}`
    : result.verdict.toUpperCase();
}
