import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
}

function processTable(): ProcessRow[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => {
    const [pid = '', parent = '', state = ''] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), state };
  });
}

/** False for a zombie: it runs nothing and only waits to be reaped. */
export function isAlive(pid: number): boolean {
  return processTable().some((row) => row.pid === pid && !row.state.startsWith('Z'));
}

/** The process and everything it started that has not been orphaned. */
export function processTree(pid: number): number[] {
  const table = processTable();
  const tree = [pid];
  for (const parent of tree) {
    tree.push(...table.filter((row) => row.parent === parent && !row.state.startsWith('Z')).map((row) => row.pid));
  }
  return tree.filter((member) => table.some((row) => row.pid === member));
}

/** Living processes that were given a path in the folder or, where the system tells, work in it. */
export function processesIn(folder: string): number[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,stat=,args='], { encoding: 'utf8' }).trim().split('\n');
  return lines.flatMap((line) => {
    const [, pid = '', state = '', args = ''] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (state.startsWith('Z')) return [];
    return args.includes(folder) || workingDirectory(pid).startsWith(folder) ? [Number(pid)] : [];
  });
}

function workingDirectory(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** Those that have ended meanwhile are left out. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended since it was looked for.
    }
  }
}

/** Everything stands still that the process has started. @returns what lets go on what still lives of it */
export function freezeBelow(pid: number): () => void {
  const frozen = processTree(pid).filter((member) => member !== pid);
  if (frozen.length === 0) throw new Error(`process ${pid} has started nothing`);
  signalAll(frozen, 'SIGSTOP');
  return () => {
    signalAll(frozen, 'SIGCONT');
  };
}

/** Nothing when it is gone meanwhile, as files and processes of a running stack may be. */
export function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}

/** However busy the machine is. */
const PATIENCE_MS = 120_000;

interface Wait {
  /** For the message, when it was in vain. */
  readonly what: string;
  readonly timeoutMs?: number;
  readonly everyMs?: number;
  /** What explains a wait in vain: its end is a part of the message. */
  readonly log?: () => string;
}

/**
 * Polls until the condition gives something truthy. One that throws is asked again: who answers may be away for a moment.
 * @throws Error with what the condition threw last as the cause
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = PATIENCE_MS, everyMs = 50, log = () => '' }: Wait,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const result = await condition();
      if (result) return result as NonNullable<Exclude<T, false>>;
    } catch (error) {
      cause = error;
    }
    if (Date.now() >= deadline)
      throw new Error(`not within ${timeoutMs / 1000} s: ${what}\n${log().slice(-3000)}`.trimEnd(), { cause });
    await delay(everyMs);
  }
}
