import { readFileSync, writeFileSync } from 'node:fs';
import { FAILURE_NAMES, FAILURES, PHASES } from './failures.js';
import type { Cell } from './matrix.js';
import { omissions, pairRows, singleRows, type ChaosReport } from './report.js';

const BEGIN = '<!-- chaos:begin -->';
const END = '<!-- chaos:end -->';

/** @throws Error when the page has no place for it */
export function writeMatrix(file: string, report: ChaosReport): void {
  writeFileSync(file, withMatrix(readFileSync(file, 'utf8'), report));
}

export function withMatrix(page: string, report: ChaosReport): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`the page has no ${BEGIN} followed by ${END}`);
  return `${page.slice(0, from)}${BEGIN}\n\n${matrixText(report)}\n${page.slice(to)}`;
}

function matrixText({ cells, pairs, facts, runs, sessions, seed }: ChaosReport): string {
  return [
    `Written by \`npm run chaos -- --runs ${runs} --seed ${seed} --write\`: ${sessions} sessions struck.`,
    '',
    ...Object.entries(facts).map(([name, value]) => `- ${name}: ${value}`),
    '',
    'Extra billed seconds for each failure alone, as *n: p50 / max / bound*:',
    '',
    ...table(['failure', ...PHASES], singleRows(cells)),
    '',
    'Pairs of failures, the second within seconds of the first, in whatever phase, as *n: p50 / max / widest bound*:',
    '',
    ...table(['pair', 'extra billed seconds', 'phases'], pairRows(pairs)),
    '',
    'Not measured:',
    '',
    ...omissions().map((line) => `- ${line}`),
    '',
    'What fails, and the arithmetic of its bound in seconds (a pair has the terms of both):',
    '',
    ...table(
      ['failure', 'what it is', 'bound'],
      FAILURE_NAMES.map((name) => [name, FAILURES[name].what, arithmeticOf(name, cells)]),
    ),
    '',
  ].join('\n');
}

/** One sum for all phases that share it. */
function arithmeticOf(failure: string, cells: readonly Cell[]): string {
  const own = cells.filter((cell) => cell.failure === failure && cell.impossible === undefined);
  const sums = [...new Set(own.map(({ arithmetic }) => arithmetic))];
  return sums
    .map((sum) => {
      const phases = own.filter(({ arithmetic }) => arithmetic === sum).map(({ phase }) => phase);
      return `${phases.join(', ')}: ${sum}`;
    })
    .join('; ');
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}
