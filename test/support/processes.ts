import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
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

/** Polls until the condition gives something truthy. */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  { timeoutMs, what, everyMs = 50 }: { readonly timeoutMs: number; readonly what: string; readonly everyMs?: number },
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const result = await condition();
    if (result) return result as NonNullable<Exclude<T, false>>;
    if (Date.now() >= deadline) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
    await delay(everyMs);
  }
}
