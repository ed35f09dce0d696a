import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, renameSync, fstatSync } from 'node:fs';
import { DevloopError } from '../contract/index.js';
import { processStart, type ProcessIdentity } from './processes.js';

const TAIL_BYTES = 8192;
const TAIL_LINES = 8;

export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A program of the stack. Its output goes to its log. */
export interface Child<Name extends string = string> {
  readonly name: Name;
  readonly identity: ProcessIdentity;
  readonly logFile: string;
  /** Resolves when it has ended; never rejects. */
  readonly exited: Promise<ChildExit>;
}

export interface ChildSpec<Name extends string = string> {
  readonly name: Name;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logFile: string;
}

/** @throws DevloopError `STACK_FAILED` when the program cannot be executed */
export async function spawnChild<Name extends string>(spec: ChildSpec<Name>): Promise<Child<Name>> {
  const { name, command, args, env, cwd, logFile } = spec;
  // One run's output and the one before: a log folder does not grow with every start.
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', log, log] });
    const exited = new Promise<ChildExit>((resolve) => {
      child.once('exit', (code, signal) => {
        resolve({ code, signal });
      });
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => {
        resolve(child.pid ?? 0);
      });
    });
    return { name, identity: { pid, start: processStart(pid) ?? 'ended' }, logFile, exited };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new DevloopError('STACK_FAILED', `${name} could not be started: ${cause}.`, { cause: error });
  } finally {
    closeSync(log);
  }
}

/** The end of a log, without the rest of a line that was cut. */
export function lastLines(logFile: string): string[] {
  try {
    const file = openSync(logFile, 'r');
    try {
      const size = fstatSync(file).size;
      const from = Math.max(0, size - TAIL_BYTES);
      const buffer = Buffer.alloc(size - from);
      readSync(file, buffer, 0, buffer.length, from);
      const lines = buffer.toString('utf8').split('\n');
      return (from > 0 ? lines.slice(1) : lines).filter((line) => line.trim() !== '').slice(-TAIL_LINES);
    } finally {
      closeSync(file);
    }
  } catch {
    return [];
  }
}

/** How a child ended, with the end of its log. */
export function describeExit(child: Child, exit: ChildExit): string {
  const how = exit.signal === null ? `ended with code ${exit.code ?? 'unknown'}` : `was ended by ${exit.signal}`;
  return withLog(`${child.name} ${how}`, child);
}

export function withLog(problem: string, { logFile }: Child): string {
  const lines = lastLines(logFile);
  const log =
    lines.length === 0
      ? `Its log ${logFile} is empty.`
      : `The end of ${logFile}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  return `${problem}. ${log}`;
}
