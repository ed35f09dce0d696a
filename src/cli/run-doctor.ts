import { DevloopClient } from '../client/index.js';
import { temporalFromEnvironment, type TemporalSettings } from '../client/internal.js';
import { loadConfig, readEnvironment, type Config } from '../config.js';
import { DevloopError } from '../contract/index.js';
import { doctorReport, readStack, type DoctorCheck } from '../embedded/index.js';
import { connectToStack } from './connect.js';
import { checkAccount, checkReaper } from './doctor-killers.js';
import { EXIT } from './exit-codes.js';
import type { Output } from './output.js';
import { renderTable } from './table.js';

const MARKS = { ok: '✔', missing: '✖', problem: '✖', 'absent-optional': '–' } as const;

/** Looks at everything, changes nothing. The exit code says whether a problem was found. */
export async function runDoctor(out: Output): Promise<void> {
  const env = readEnvironment();
  const config = loadConfig(env);
  const { dataDir, cacheDir, noDownload, runpod } = config;
  const temporal = temporalFromEnvironment(env);
  const reached = await lookAtTemporal(temporal, config);
  const checks: DoctorCheck[] = [
    ...(await doctorReport({
      dataDir,
      cacheDir,
      noDownload,
      env,
      runpodKeySet: runpod.apiKey !== undefined,
      ...(temporal === undefined
        ? {}
        : {
            temporal: {
              address: temporal.address,
              ...(reached.problem === undefined ? {} : { problem: reached.problem }),
            },
          }),
    })),
    ...reached.checks,
    ...(runpod.apiKey === undefined ? [] : [await checkAccount()]),
  ];
  const problems = checks.filter(isProblem);
  out.result(
    { checks, problems: problems.length },
    [
      renderTable(['', 'WHAT', 'VERSION', 'WHERE'], checks.map(checkRow)),
      ...checks.filter((check) => check.hint !== undefined && check.state !== 'ok').map(hintLine),
    ].join('\n'),
  );
  if (problems.length > 0) process.exitCode = EXIT.found;
}

/** Exported for its test. */
export function isProblem({ state }: DoctorCheck): boolean {
  return state === 'missing' || state === 'problem';
}

function checkRow({ name, state, version, path, source }: DoctorCheck): string[] {
  return [MARKS[state], name, version ?? '', path ?? source ?? ''];
}

function hintLine({ name, state, hint }: DoctorCheck): string {
  return `${MARKS[state]} ${name}: ${hint ?? ''}`;
}

/** The Temporal of the environment, else the one of this clone's living stack; neither is no problem. */
async function lookAtTemporal(
  temporal: TemporalSettings | undefined,
  { dataDir }: Config,
): Promise<{ problem?: string; checks: readonly DoctorCheck[] }> {
  const stack = temporal === undefined ? readStack(dataDir) : undefined;
  if (temporal === undefined && stack === undefined) return { checks: [] };
  let client: DevloopClient | undefined;
  try {
    client = await (stack === undefined ? DevloopClient.connect() : connectToStack(stack));
    return { checks: [workerCheck(await client.hasWorker()), await checkReaper(client)] };
  } catch (error) {
    if (!(error instanceof DevloopError)) throw error;
    // The stack's own check tells about a Temporal that has ended.
    return { problem: error.message, checks: [] };
  } finally {
    await client?.close();
  }
}

function workerCheck(polls: boolean): DoctorCheck {
  if (polls) return { name: 'worker', state: 'ok' };
  return {
    name: 'worker',
    state: 'problem',
    hint: 'Nobody polls the task queue, so nothing would happen: devloop worker',
  };
}
