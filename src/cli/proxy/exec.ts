import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { DevloopError } from '../../contract/index.js';
import { Interrupt } from '../interrupt.js';
import type { Output } from '../output.js';
import { proxyEnvironment, type PodProxy } from './pod-proxy.js';
import { withPod, type PodUse } from './with-pod.js';

/** As env(1) and others that run a command: their own failure, a command that cannot be run, one that is not there. */
const OWN_FAILURE = 125;
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const KILLED_BY_SIGNAL = 128;
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs a command with the pod at hand and ends as it ended. */
export async function execOnPod(use: PodUse, command: readonly string[], out: Output): Promise<void> {
  const interrupt = new Interrupt(out);
  try {
    process.exitCode = await withPod(use, out, interrupt, (proxy) => {
      // From here on signals are the command's.
      interrupt.dispose();
      return run(command, proxy);
    });
  } catch (error) {
    const code = error instanceof DevloopError ? ` [${error.code}]` : '';
    out.error(`error: ${error instanceof Error ? error.message : String(error)}${code}`);
    process.exitCode = OWN_FAILURE;
  } finally {
    interrupt.dispose();
  }
}

async function run([program = '', ...args]: readonly string[], proxy: PodProxy): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...proxyEnvironment(proxy.url) } });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of PASSED_ON) process.on(signal, pass);
  try {
    return await exitCodeOf(child);
  } finally {
    for (const signal of PASSED_ON) process.off(signal, pass);
  }
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(`error: ${error.message}\n`);
      resolve(error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE);
    });
    child.once('exit', (code, signal) => {
      resolve(code ?? KILLED_BY_SIGNAL + (signal ? constants.signals[signal] : 0));
    });
  });
}
