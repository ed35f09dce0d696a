import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A process that cannot be taken for another one: pids are used again, a pid with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

interface ProcessRow extends ProcessIdentity {
  readonly group: number;
  readonly state: string;
}

const hasProc = process.platform === 'linux';

/** One row of Linux' /proc, or undefined when the process is gone. The name may hold spaces and brackets: fields count from its end. */
function procRow(pid: number): ProcessRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { pid, state: fields[0] ?? '', group: Number(fields[2]), startedAt: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

const procPids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** The row of macOS' `ps`: it has no /proc. */
function psRow(pid: number): ProcessRow | undefined {
  try {
    const row = execFileSync('ps', ['-o', 'pgid=,stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
    const [, group = '', state = '', startedAt = ''] = /^\s*(\d+)\s+(\S+)\s+(.*\S)\s*$/.exec(row) ?? [];
    return startedAt === '' ? undefined : { pid, state, group: Number(group), startedAt };
  } catch {
    return undefined;
  }
}

const rowOf = (pid: number): ProcessRow | undefined => (hasProc ? procRow(pid) : psRow(pid));

const isZombie = (row: ProcessRow): boolean => row.state.startsWith('Z') || row.state.startsWith('X');

/** Who has this pid now; undefined for nobody. A zombie still counts, because its parent has not heard of its end. */
export function identify(pid: number): ProcessIdentity | undefined {
  const row = rowOf(pid);
  return row && { pid, startedAt: row.startedAt };
}

export function isRunning(identity: ProcessIdentity): boolean {
  const row = rowOf(identity.pid);
  return row?.startedAt === identity.startedAt && !isZombie(row);
}

/** Whether the group has a process that runs. Without /proc a zombie counts too: it answers signals. */
export function groupIsRunning(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  if (!hasProc) return true;
  return procPids().some((pid) => {
    const row = procRow(pid);
    return row?.group === group && !isZombie(row);
  });
}

/** False when nobody was there to get the signal. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  return signalProcess(-group, signal);
}

export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Processes started with `name=value` in their environment, where the value begins with `prefix`: also those that left
 * their process group (`setsid`, daemons), as a container's end would reach them too. Linux only: elsewhere the answer is
 * empty, and the process group is all that is ended.
 */
export function withEnvironment(name: string, prefix: string): { pid: number; value: string }[] {
  if (!hasProc) return [];
  const wanted = `${name}=${prefix}`;
  return procPids().flatMap((pid) => {
    const row = procRow(pid);
    if (!row || isZombie(row)) return [];
    const entry = environmentOf(pid).find((variable) => variable.startsWith(wanted));
    return entry === undefined ? [] : [{ pid, value: entry.slice(name.length + 1) }];
  });
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
