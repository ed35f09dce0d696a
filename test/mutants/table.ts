import type { Mutant } from './mutant.js';
import type { Verdict } from './run-tests.js';

export type Suite = 'tests' | 'simulation';

export interface Outcome {
  readonly mutant: Mutant;
  readonly suite: Suite;
  readonly seconds: number;
  readonly result: Verdict | { readonly verdict: 'invalid'; readonly why: string };
}

const BEGIN = '<!-- mutants: written by npm run mutants -- --suite all --write -->';
const END = '<!-- /mutants -->';

export function line({ mutant, suite, seconds, result }: Outcome): string {
  const took = `${seconds.toFixed(1)} s`;
  const said =
    result.verdict === 'killed'
      ? `killed by ${result.by}`
      : result.verdict === 'survived'
        ? `SURVIVED ${suite === 'tests' ? mutant.killedBy.kind === 'test' && mutant.killedBy.file : suite}`
        : `${result.verdict.toUpperCase()}: ${result.why}`;
  return `${mutant.rule} | ${mutant.name}: ${mutant.takenOut} | ${said} | ${took}`;
}

export function isKilled({ result }: Outcome): boolean {
  return result.verdict === 'killed';
}

/** Puts the table between the document's two markers. @throws when they are not there */
export function withTable(document: string, outcomes: readonly Outcome[]): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the document has no ${BEGIN} … ${END}`);
  const table = markdown(outcomes);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${document.slice(end)}`;
}

function markdown(outcomes: readonly Outcome[]): string {
  const mutants = [...new Set(outcomes.map(({ mutant }) => mutant))];
  const rows = mutants.map((mutant) => {
    const by = (suite: Suite): string | undefined =>
      cell(outcomes.find((one) => one.mutant === mutant && one.suite === suite));
    const { rule, takenOut, alsoSimulation } = mutant;
    const caught = typeof alsoSimulation === 'object' ? `caught by ${alsoSimulation.caughtBy}` : '–';
    return `| ${rule} | ${takenOut} | ${by('tests') ?? '–'} | ${by('simulation') ?? caught} |`;
  });
  return ['| Rule | Taken out | Test that fails | Simulation |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function cell(outcome: Outcome | undefined): string | undefined {
  if (!outcome) return undefined;
  const { result } = outcome;
  return result.verdict === 'killed' ? result.by.replaceAll('|', '\\|') : result.verdict.toUpperCase();
}
