import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { cellName, faultKinds } from './faults/catalog.js';
import { matrix, Tally, type Report } from './report.js';
import { runSeed, type SeedResult } from './run-seed.js';
import { shrink } from './shrink.js';
import { scenes } from './scenes/list.js';
import { plannedFaults, sceneOf } from './story.js';

const EXIT_FOUND = 4;
const PROGRESS_EVERY_MS = 2_000;
const TEN_MINUTES_MS = 600_000;

interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly jobs: number;
  readonly with?: string;
  readonly faults?: readonly number[];
  readonly untilFailure?: true;
  readonly json?: true;
  readonly quiet?: true;
}

function wholeNumber(atLeast: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < atLeast)
      throw new InvalidArgumentError(`it must be a whole number from ${atLeast} on.`);
    return value;
  };
}

const program = new Command('simulate')
  .description(
    'Lives of sessions under seeded faults, in virtual time: the real workflows and activities on the emulator.',
  )
  .option('--seeds <n>', 'how many stories', wholeNumber(1), 500)
  .option('--from <seed>', 'the first seed', wholeNumber(0), 1)
  .option('--jobs <n>', 'processes', wholeNumber(1), Math.min(8, availableParallelism()))
  .option('--with <name>', 'only those of the stories that this fault is planned for; or a scene', (text) => {
    if (![...faultKinds, ...scenes].some(({ name }) => name === text))
      throw new InvalidArgumentError('there is no such fault or scene.');
    return text;
  })
  .option('--faults <list>', "only these of a seed's faults, such as 0,2", (text) =>
    text.split(',').map(wholeNumber(0)),
  )
  .option('--until-failure', 'stop at the first seed that fails')
  .option('--json', 'one document on stdout')
  .option('--quiet', 'no progress')
  .addHelpText(
    'after',
    `
Examples:
  npm run simulate -- --seeds 10000
  npm run simulate -- --seeds 1 --from 4711              one story again, exactly
  npm run simulate -- --seeds 1 --from 4711 --faults 0,2 the same with two of its faults
  npm run simulate -- --seeds 10000 --with never-ends    what one fault does

Exit codes: 0 every story held, 2 usage, 4 a story failed.`,
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

/** A child works on every `step`-th seed and tells each result. */
async function child(seeds: readonly number[], step: number, offset: number): Promise<void> {
  // Errors are a part of every story, and where they were made is asked for by no one.
  Error.stackTraceLimit = 0;
  for (let i = offset; i < seeds.length; i += step) process.send?.(await runSeed(seeds[i]!));
  process.disconnect();
}

function seedsOf({ seeds, from, with: name }: Options): number[] {
  const all = Array.from({ length: seeds }, (_, i) => from + i);
  const isMeant = (seed: number): boolean =>
    sceneOf(seed)?.name === name || plannedFaults(seed).some(({ kind }) => kind.name === name);
  return name === undefined ? all : all.filter(isMeant);
}

/** @param onResult answers whether to go on */
async function spread(options: Options, onResult: (result: SeedResult) => boolean): Promise<void> {
  const { jobs } = options;
  const children = Array.from({ length: jobs }, (_, offset) =>
    fork(fileURLToPath(import.meta.url), ['--child', JSON.stringify({ options, offset })]),
  );
  const ends = children.map(
    (one) =>
      new Promise<void>((resolve, reject) => {
        let stopped = false;
        one.on('message', (result: SeedResult) => {
          if (onResult(result)) return;
          stopped = true;
          for (const other of children) other.kill();
        });
        one.on('exit', (code, signal) => {
          if (code === 0 || stopped || signal === 'SIGTERM') resolve();
          else reject(new Error(`a simulating process ended with ${code ?? signal}`));
        });
      }),
  );
  await Promise.all(ends);
}

async function main(): Promise<void> {
  const options = program.parse().opts<Options>();
  const begunMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - begunMs) / 100) / 10;
  const tally = new Tally();
  const failing: SeedResult[] = [];
  let toldMs = 0;
  let done = 0;
  const count = seedsOf(options).length;
  const note = (result: SeedResult): boolean => {
    tally.add(result);
    done += 1;
    if (result.problems.length > 0) failing.push(result);
    if (!options.quiet && performance.now() - toldMs > PROGRESS_EVERY_MS) {
      toldMs = performance.now();
      process.stderr.write(`${done} of ${count} stories, ${failing.length} failed, ${seconds()} s\n`);
    }
    return failing.length === 0 || options.untilFailure !== true;
  };
  if (options.faults) note(await runSeed(options.from, options.faults));
  else await spread(options, note);
  for (const { seed, problems } of failing.sort((a, b) => a.seed - b.seed).slice(0, 10)) {
    const planned = plannedFaults(seed);
    const asTold = { faults: options.faults ?? planned.map((_, i) => i), result: { problems } };
    // Shrinking tells the story again many times; the seed is named in any case.
    const isLate = seconds() * 1000 > TEN_MINUTES_MS;
    const small = options.faults || isLate ? asTold : await shrink(seed);
    const what = small.faults.map((i) => (planned[i] ? cellName(planned[i]) : `no fault ${i}`));
    tally.failed.push({ seed, faults: small.faults, what, problems: small.result.problems });
  }
  const report = tally.report(options.from, seconds());
  if (options.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else print(report);
  if (failing.length > 0) process.exitCode = EXIT_FOUND;
}

function print(report: Report): void {
  const { seeds, from, failed, faultsPerSeed, minCell } = report;
  const lines = [
    matrix(report),
    '',
    `${seeds} stories from seed ${from} in ${report.seconds} s, ${faultsPerSeed} faults each; rarest: ${minCell.cell}, ${minCell.count} times`,
    ...failed.flatMap(({ seed, faults, what, problems }) => [
      '',
      `seed ${seed} FAILED with ${what.length === 0 ? 'no fault at all' : what.join(' and ')}`,
      ...problems.map((problem) => `  ${problem}`),
      `  again: npm run simulate -- --seeds 1 --from ${seed}${faults.length > 0 ? ` --faults ${faults.join(',')}` : ''}`,
    ]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

const [flag, work] = process.argv.slice(2);
if (flag === '--child' && process.send) {
  const { options, offset } = JSON.parse(work ?? '{}') as { readonly options: Options; readonly offset: number };
  await child(seedsOf(options), options.jobs, offset);
} else {
  await main();
}
