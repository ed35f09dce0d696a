import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mutants } from './list.js';
import { inSimulation } from './in-simulation.js';
import type { Mutant } from './mutant.js';
import { needsBuild, problemsOf, runTest } from './run-tests.js';
import { Scratch } from './scratch.js';
import { isKilled, line, withTable, type Outcome, type Suite } from './table.js';

const USAGE =
  'npm run mutants -- [--only NAME]... [--suite tests|simulation|all] [--seeds N] [--json] [--write] [--unchecked]\n' +
  'Takes every protection out in turn, in a copy of the tree, and expects its test to fail. NAME is a mutant, a rule or a file.\n' +
  '--unchecked: the tests are not run without any mutant first. --write puts what was run into the table of docs/guarantee.md. Exit codes: 0 all killed, 2 usage, 4 one was not.';
const DOCUMENT = 'docs/guarantee.md';
/** From `dist/test/mutants`, where it runs. */
const tree = join(import.meta.dirname, '../../..');

interface Options {
  readonly chosen: readonly Mutant[];
  readonly suites: readonly Suite[];
  readonly seeds: number;
  readonly json: boolean;
  readonly write: boolean;
  readonly unchecked: boolean;
}

function optionsOf(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      suite: { type: 'string', default: 'tests' },
      seeds: { type: 'string', default: '10000' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      unchecked: { type: 'boolean', default: false },
    },
  });
  const { only, suite, json, write, unchecked } = values;
  const isMeant = ({ name, rule, file }: Mutant): boolean =>
    only.length === 0 || [name, rule, file].some((x) => only.includes(x));
  const chosen = mutants.filter(isMeant);
  if (chosen.length === 0) throw new Error(`no mutant is called ${only.join(' or ')}`);
  const suites = (['tests', 'simulation'] as const).filter((one) => suite === one || suite === 'all');
  if (suites.length === 0) throw new Error('--suite is tests, simulation or all');
  const seeds = Number(values.seeds);
  if (!Number.isSafeInteger(seeds) || seeds < 1) throw new Error('--seeds is a whole number above 0');
  return { chosen, suites, seeds, json, write, unchecked };
}

async function attempt(mutant: Mutant, suite: Suite, work: () => Promise<Outcome['result']>): Promise<Outcome> {
  const beganMs = Date.now();
  const result = await work();
  return { mutant, suite, seconds: (Date.now() - beganMs) / 1000, result };
}

function inTests(mutant: Mutant, scratch: Scratch): Promise<Outcome['result']> {
  return scratch.with([mutant], () => {
    if (needsBuild(mutant.killedBy)) scratch.build();
    return runTest(scratch.dir, mutant.killedBy);
  });
}

/** What fails without any mutant says nothing about one. */
async function mustPass(chosen: readonly Mutant[], scratch: Scratch): Promise<void> {
  const kills = chosen.map(({ killedBy }) => killedBy);
  if (kills.some(needsBuild)) scratch.build();
  const files = new Set(kills.map(({ file }) => file));
  const problems = await problemsOf(scratch.dir, [...files]);
  if (problems.length > 0) throw new Error(`without any mutant this fails: ${problems.join('; ')}`);
}

async function run({ chosen, suites, seeds, json, write, unchecked }: Options): Promise<void> {
  const document = join(tree, DOCUMENT);
  const outcomes: Outcome[] = [];
  const told = json ? process.stderr : process.stdout;
  const note = (outcome: Outcome): void => {
    outcomes.push(outcome);
    if (write) writeFileSync(document, withTable(readFileSync(document, 'utf8'), mutants, outcomes));
    told.write(`${line(outcome)}\n`);
  };
  const scratch = new Scratch(tree);
  if (suites.includes('tests') && !unchecked) await mustPass(chosen, scratch);
  for (const mutant of chosen) {
    if (suites.includes('tests')) note(await attempt(mutant, 'tests', () => inTests(mutant, scratch)));
    if (suites.includes('simulation') && mutant.alsoSimulation)
      note(await attempt(mutant, 'simulation', () => inSimulation(mutant, scratch, seeds)));
  }
  const left = outcomes.filter((outcome) => !isKilled(outcome));
  told.write(`${outcomes.length - left.length} killed, ${left.length} not\n`);
  if (json)
    process.stdout.write(`${JSON.stringify({ outcomes, killed: outcomes.length - left.length }, undefined, 2)}\n`);
  if (left.length > 0) process.exitCode = 4;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
let options: Options;
try {
  options = optionsOf(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
  process.exit(2);
}
await run(options);
