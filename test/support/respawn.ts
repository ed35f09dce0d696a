import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { isAlive, signalAll, waitUntil } from './processes.js';

/** How a running program was started: enough to start it again as it was. Linux only: read from /proc. */
export interface ProgramSnapshot {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

const fields = (file: string): string[] => readFileSync(file, 'utf8').split('\0').filter(Boolean);

export function snapshot(pid: number): ProgramSnapshot {
  const env = fields(`/proc/${pid}/environ`).map((entry) => {
    const at = entry.indexOf('=');
    return [entry.slice(0, at), entry.slice(at + 1)] as const;
  });
  return { argv: fields(`/proc/${pid}/cmdline`), env: Object.fromEntries(env), cwd: readlinkSync(`/proc/${pid}/cwd`) };
}

/** SIGKILL, and gone when this returns. */
export async function killHard(pid: number): Promise<void> {
  signalAll([pid], 'SIGKILL');
  await waitUntil(() => !isAlive(pid), { what: `process ${pid} is gone`, everyMs: 20 });
}

/** Starts the program again. Whoever calls it ends it. */
export function respawn({ argv, env, cwd }: ProgramSnapshot): ChildProcess {
  const [command = '', ...args] = argv;
  return spawn(command, args, { env, cwd, stdio: 'ignore' });
}
