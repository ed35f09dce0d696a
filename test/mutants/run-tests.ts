import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestKill } from './mutant.js';

/** A run that takes longer proves nothing. */
const LIMIT_MS = 900_000;
const isSlow = (file: string): boolean => /^test\/(chaos|browser|slow)\//.test(file);
/** Broken code, not a protection that is missed. */
const NO_ASSERTION = /^(SyntaxError|ReferenceError|TypeError)|^Error: Test timed out/;

export type Verdict =
  | { readonly verdict: 'killed'; readonly by: string }
  | { readonly verdict: 'survived'; readonly of: string }
  | { readonly verdict: 'broken'; readonly why: string };

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The test runs what was compiled, not the sources. */
export function needsBuild({ file }: TestKill): boolean {
  return isSlow(file) || /^test\/(workflow|replay|integration|emulator|pod)\//.test(file);
}

/** Runs whole files, which have to pass. @returns what keeps them from that */
export async function problemsOf(dir: string, files: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  for (const slow of [false, true]) {
    const some = files.filter((file) => isSlow(file) === slow);
    if (some.length === 0) continue;
    const report = await vitest(dir, some, []);
    const failed = report?.testResults.flatMap(({ message, assertionResults }) => [
      ...(message === '' ? [] : [message]),
      ...assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    ]);
    problems.push(...(failed ?? [`${some.join(', ')}: no report`]));
  }
  return problems;
}

/** Runs the test that has to fail. It ends at the first failure. */
export async function runTest(dir: string, { file, name }: TestKill): Promise<Verdict> {
  const filter = name === undefined ? [] : ['-t', name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')];
  const report = await vitest(dir, [file], ['--bail', '1', ...filter]);
  if (!report) return { verdict: 'broken', why: `${file} was not done within ${LIMIT_MS / 1000} s, or gave no report` };
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = tests.filter(({ status }) => status === 'failed');
  const [first] = failed.filter(({ failureMessages: [why = ''] }) => !NO_ASSERTION.test(why));
  if (first) return { verdict: 'killed', by: `${file.replace(/^test\/|\.test\.ts$/g, '')}: ${first.fullName}` };
  const [broken] = failed;
  if (broken) return { verdict: 'broken', why: `${broken.fullName}: ${broken.failureMessages[0] ?? ''}`.slice(0, 400) };
  const problem = report.testResults.map(({ message }) => message).find((message) => message !== '');
  if (problem !== undefined) return { verdict: 'broken', why: `${file}: ${problem}`.slice(0, 400) };
  if (!tests.some(({ status }) => status === 'passed')) return { verdict: 'broken', why: `${file}: no test ran` };
  return { verdict: 'survived', of: file };
}

/** @returns undefined when vitest did not end in time, or not with a report */
async function vitest(dir: string, files: readonly string[], options: readonly string[]): Promise<Report | undefined> {
  const config = files.some(isSlow) ? 'test/vitest.slow.config.ts' : 'test/vitest.config.ts';
  const output = join(dir, 'dist', 'mutant-report.json');
  rmSync(output, { force: true });
  await ended(dir, [
    ...['node_modules/vitest/vitest.mjs', 'run', '--config', config, ...files],
    ...['--reporter', 'json', '--outputFile', output],
    ...options,
  ]);
  try {
    return JSON.parse(readFileSync(output, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}

/** A group of its own: what a run leaves that ends at its first failure is told to end, and emulators end their pods then. */
function ended(cwd: string, argv: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { cwd, stdio: 'ignore', detached: true });
    const endRest = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      } catch {
        // Nothing is left.
      }
    };
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    process.once('exit', endRest);
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(limit);
      process.removeListener('exit', endRest);
      endRest();
      resolve();
    });
  });
}
