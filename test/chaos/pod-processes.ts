import { readdirSync, readFileSync } from 'node:fs';
import type { FailureName } from './failures.js';

interface PodProcess {
  readonly pid: number;
  /** `model`, `gate`, `deadman`; undefined for the entrypoint and its helpers. */
  readonly child: string | undefined;
}

const CHILD_OF: Partial<Record<FailureName, string>> = {
  'pod-model': 'model',
  'pod-gate': 'gate',
  'pod-switch': 'deadman',
};

/** The processes of a pod that a failure on it strikes; none while they do not run. The container's are all. */
export function victimsOn(folder: string, name: FailureName): number[] {
  const all = processesOf(folder);
  const wanted = CHILD_OF[name];
  return all.filter(({ child }) => wanted === undefined || child === wanted).map(({ pid }) => pid);
}

/** By what they carry in their environment, whatever group they have moved to. */
function processesOf(folder: string): PodProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const variables = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0');
      if (!variables.includes(`EMULATOR_DIR=${folder}`)) return [];
      const mark = variables.find((variable) => variable.startsWith('DEVLOOP_CHILD='));
      return [{ pid: Number(name), child: mark?.split('/').at(-1) }];
    } catch {
      return [];
    }
  });
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended since the look.
    }
  }
}
