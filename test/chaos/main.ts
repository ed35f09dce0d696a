#!/usr/bin/env node
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { ChaosStack } from './chaos-stack.js';
import { factsOf } from './facts.js';
import { FAILURE_NAMES, type FailureName } from './failures.js';
import { runLanes } from './lanes.js';
import { cellsOf, failuresMetTooRarely, notMeasured, pairsOf } from './matrix.js';
import { writeMatrix } from './page.js';
import { planRuns, type PlannedRun } from './plan.js';
import { terminalText, type ChaosReport, type FailedRun } from './report.js';
import type { Measurement } from './run.js';

const EXIT_USAGE = 2;
const EXIT_FOUND = 4;
const EXIT_INTERRUPTED = 130;

/** So many runs strike with every failure alone three times, and with every pair. */
const WHOLE_MATRIX = 95;
/** In all; a machine that is quick leaves some phases before the strike. */
const MAKE_UP_RUNS = 15;

interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly lanes: number;
  readonly failure: FailureName[];
  readonly json: boolean;
  readonly write: boolean;
}

const startedMs = Date.now();
const say = (text: string): void => {
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${text}\n`);
};

function whole(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

function failures(text: string, before: FailureName[]): FailureName[] {
  const name = FAILURE_NAMES.find((known) => known === text);
  if (name === undefined) throw new InvalidArgumentError(`It must be one of ${FAILURE_NAMES.join(', ')}.`);
  return [...before, name];
}

function parseOptions(): Options {
  return new Command('chaos')
    .description(
      'Lets real processes fail at seeded moments, and measures on the bill how much longer their pods cost.',
    )
    .option('--runs <number>', 'strikes, each of one failure or of two, at several sessions', whole, 100)
    .option('--seed <number>', 'repeats a choice of failures, phases and moments (default: drawn, and printed)', whole)
    .option('--lanes <number>', 'stacks side by side', whole, 4)
    .option('--failure <name>', `only these, alone and in pairs (repeat): ${FAILURE_NAMES.join(', ')}`, failures, [])
    .option('--json', 'print one JSON document: {runs, seed, seconds, failed, cells, pairs, …}', false)
    .option('--write', 'write the matrix into docs/guarantee.md', false)
    .addHelpText(
      'after',
      `
Exit codes: 0 every bound held · 2 usage · 4 a bound was exceeded or a run failed: it names run, seed and pod · 130 interrupted

Examples:
  npm run chaos -- --runs 15
  npm run chaos -- --runs 100 --seed 7 --json
  npm run chaos -- --runs 3 --seed 7 --failure worker-killed --failure temporal-killed`,
    )
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE))
    .parse()
    .opts<Omit<Options, 'seed'> & { seed?: number }>() as Options;
}

function describe({ index, failures: struck }: PlannedRun): string {
  return `run ${index}, ${struck.map(({ name, manner, seconds }) => `${name} (${manner}, ${seconds} s)`).join(' + ')}`;
}

function outcome({ session, phase, extraSeconds, bound, job }: Measurement): string {
  const planned = session.split('-').at(-1) ?? '';
  return `${planned === phase ? phase : `${planned}, really ${phase}`} ${extraSeconds.toFixed(1)} of ${bound.seconds} (${job})`;
}

async function main(): Promise<number> {
  const options = parseOptions();
  const { lanes, failure, json, write, seed = Date.now() % 1_000_000 } = options;
  const runs = planRuns({ runs: options.runs, seed, failures: failure });
  say(`seed ${seed}: ${runs.length} runs`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      say('interrupted: ending every stack');
      void ChaosStack.stopAll().finally(() => process.exit(EXIT_INTERRUPTED));
    });
  }
  const facts = await factsOf(lanes);
  const measured: Measurement[] = [];
  const failed: FailedRun[] = [];
  const carryOut = (planned: readonly PlannedRun[]): Promise<void> =>
    runLanes({
      runs: planned,
      lanes,
      onMeasured: (run, found) => {
        measured.push(...found);
        say(`${describe(run)}: ${found.map(outcome).join(' · ')}`);
        for (const { session, pods, problems } of found) {
          if (problems.length === 0) continue;
          failed.push({ run: run.index, seed, session, pods, problem: problems.join('\n    ') });
          say(`  FAILED ${session}: ${problems[0]}`);
        }
      },
      onStagedAgain: (run, problem) => {
        say(`${describe(run)}: staged again: ${problem}`);
      },
      onBroken: (run, problem) => {
        failed.push({ run: run.index, seed, session: null, pods: [], problem });
        say(`${describe(run)}: FAILED: ${problem}`);
      },
    });
  await carryOut(runs);
  const isWhole = failure.length === 0 && runs.length >= WHOLE_MATRIX;
  let carriedOut = runs.length;
  for (let round = 1; isWhole; round++) {
    const rare = failuresMetTooRarely(cellsOf(measured)).slice(0, runs.length + MAKE_UP_RUNS - carriedOut);
    if (rare.length === 0) break;
    say(`once more, for a phase was left before they struck: ${rare.join(', ')}`);
    await carryOut(planRuns({ runs: rare.length, seed: seed + round, failures: rare, firstIndex: carriedOut }));
    carriedOut += rare.length;
  }
  const cells = cellsOf(measured);
  const pairs = pairsOf(measured);
  if (isWhole)
    for (const problem of notMeasured(cells, pairs)) failed.push({ run: null, seed, session: null, pods: [], problem });
  const report: ChaosReport = {
    runs: carriedOut,
    seed,
    seconds: Math.round((Date.now() - startedMs) / 100) / 10,
    failed,
    cells,
    pairs,
    sessions: measured.length,
    gone: measured.filter(({ phase }) => phase === 'gone').length,
    facts,
  };
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : terminalText(report));
  // Compiled to dist/test/chaos.
  if (write) writeMatrix(join(import.meta.dirname, '..', '..', '..', 'docs', 'guarantee.md'), report);
  return failed.length > 0 ? EXIT_FOUND : 0;
}

process.exitCode = await main();
