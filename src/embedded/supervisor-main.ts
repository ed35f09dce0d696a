import { once } from 'node:events';
import { statSync, truncateSync } from 'node:fs';
import { DevloopError } from '../contract/index.js';
import { dataDirProblem, dataPaths } from './data-dir.js';
import { messageOf } from './problems.js';
import { takeStackLock } from './stack-lock.js';
import { Supervisor } from './supervisor.js';
import type { StartRequest, SupervisorMessage } from './supervisor-messages.js';

const MAX_LOG_BYTES = 1_000_000;

/** Whoever started us may be gone: then nobody reads it. */
function tell(message: SupervisorMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function log(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}

function shortenLog(path: string): void {
  try {
    if (statSync(path).size > MAX_LOG_BYTES) truncateSync(path);
  } catch {
    // It is not a file: the terminal, when run by hand.
  }
}

async function supervise({ config, account, apis }: StartRequest): Promise<number> {
  const lock = takeStackLock(config.dataDir);
  if (lock === undefined) {
    tell({ kind: 'busy' });
    return 0;
  }
  shortenLog(dataPaths(config.dataDir).supervisorLog);
  const supervisor = new Supervisor({
    config,
    account,
    apis,
    env: process.env,
    lock,
    log,
    onEvent: (event) => {
      tell({ kind: 'event', event });
    },
  });
  let ready = false;
  const stop = (why: string): void => {
    if (ready) void supervisor.end(why);
    else supervisor.abortStart(new DevloopError('STACK_FAILED', `the start of the stack was interrupted: ${why}.`));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(`asked by ${signal}`);
    });
  }
  process.on('SIGHUP', () => void supervisor.endIfUnused());
  process.on('disconnect', () => {
    if (!ready) stop('whoever started it is gone');
  });
  try {
    const info = await supervisor.start();
    ready = true;
    log(`ready: ${JSON.stringify(info.pids)}`);
    tell({ kind: 'ready', info });
  } catch (error) {
    const problem = error instanceof DevloopError ? error : dataDirProblem(config.dataDir, error);
    log(`${messageOf(problem)}`);
    tell({
      kind: 'failed',
      code: problem instanceof DevloopError ? problem.code : 'STACK_FAILED',
      message: problem.message,
    });
    return 1;
  }
  await supervisor.endWhenUnused();
  return 0;
}

// A writer's closed pipe must not end the one process that ends all the others.
process.stderr.on('error', () => undefined);
const [request] = (await once(process, 'message')) as [StartRequest];
process.exitCode = await supervise(request);
if (process.connected) process.disconnect();
