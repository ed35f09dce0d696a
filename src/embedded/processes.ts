import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process id together with the process's start: ids are used again, also after a reboot. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

const POLL_MS = 25;

let bootId: string | undefined;

/** When the process started, in the system's own terms; undefined when no such process lives. A zombie does not live. */
export function processStart(pid: number): string | undefined {
  return process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start: processStart(process.pid) ?? 'unknown' };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return processStart(identity.pid) === identity.start;
}

/**
 * SIGTERM to all, SIGKILL to what still lives after the grace. Resolves when all are gone.
 * @returns what did not even end by SIGKILL within five seconds
 */
export async function endProcesses(
  identities: readonly ProcessIdentity[],
  graceMs: number,
): Promise<readonly ProcessIdentity[]> {
  sendSignal(identities, 'SIGTERM');
  const stubborn = await waitUntilGone(identities, graceMs);
  sendSignal(stubborn, 'SIGKILL');
  return waitUntilGone(stubborn, 5000);
}

/** @returns those that still run when the time is over */
export async function waitUntilGone(
  identities: readonly ProcessIdentity[],
  timeoutMs: number,
): Promise<readonly ProcessIdentity[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const running = identities.filter(isRunning);
    if (running.length === 0 || Date.now() >= deadline) return running;
    await delay(POLL_MS);
  }
}

function sendSignal(identities: readonly ProcessIdentity[], signal: NodeJS.Signals): void {
  for (const { pid } of identities.filter(isRunning)) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended between the look and the signal.
    }
  }
}

/** proc(5): after the name in parentheses, which may hold anything, field 3 is the state and field 22 the start in ticks since boot. */
function startFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
    return `${fields[19]}@${bootId}`;
  } catch {
    return undefined;
  }
}

function startFromPs(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const [state = '', ...start] = line.split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}
