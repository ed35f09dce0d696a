import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/** As env(1) and others that run a command: one that cannot be run, and one that is not there. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const KILLED_BY_SIGNAL = 128;
const PASSED_ON = ['SIGTERM', 'SIGHUP'] as const;
/** A terminal sends these to the command by itself: passed on too, one Ctrl-C would be two. */
const FROM_KEYBOARD = ['SIGINT', 'SIGQUIT'] as const;

export interface CommandToRun {
  readonly words: readonly string[];
  /** On top of this process's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Somebody sits at a terminal that this process and the command share. */
  readonly terminal: boolean;
}

/** Runs a command on the streams of this process, which meanwhile does with signals what the command does. @returns its exit code */
export async function runCommand({ words: [program = '', ...args], env, terminal }: CommandToRun): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  const fromKeyboard = terminal ? (): void => undefined : pass;
  for (const signal of PASSED_ON) process.on(signal, pass);
  for (const signal of FROM_KEYBOARD) process.on(signal, fromKeyboard);
  try {
    return await exitCodeOf(child);
  } finally {
    for (const signal of PASSED_ON) process.off(signal, pass);
    for (const signal of FROM_KEYBOARD) process.off(signal, fromKeyboard);
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
