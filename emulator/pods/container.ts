import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PodRecord } from '../core/pod.js';
import {
  groupIsRunning,
  identify,
  isRunning,
  signalGroup,
  signalProcess,
  withEnvironment,
  type ProcessIdentity,
} from './process-table.js';

/** A pod without a command runs what RunPod's base images run: nothing, until it is ended. */
const idleCommand = 'while :; do sleep 3600; done';
const pollMs = 40;
/** How long to wait for the kernel to take away killed processes before giving up on seeing it. */
const killedWithinMs = 2000;

/** What a container gets from the emulator besides the pod's own and RunPod's variables. */
export interface ContainerPlace {
  readonly folder: string;
  readonly logFile: string;
  /** Variables of the pod and of RunPod, `RUNPOD_API_URL`, `EMULATOR_PORT_*`. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The marker by which a pod's processes are known, whatever group they have moved to. */
export const folderVariable = 'EMULATOR_DIR';

/** The whole environment: nothing of the emulator's own but where programs are found and the language. */
function environmentIn({ folder, environment }: ContainerPlace): Record<string, string> {
  const own = { PATH: process.env.PATH, LANG: process.env.LANG };
  return {
    ...Object.fromEntries(Object.entries(own).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    ...environment,
    [folderVariable]: folder,
    HOME: folder,
    TMPDIR: path.join(folder, 'tmp'),
  };
}

/**
 * Runs the pod's command as the leader of a process group of its own. `onExit` is told how it ended. Its output goes
 * into the file without passing through this process, so that the container outlives the emulator's death unharmed.
 */
export function runContainer(
  pod: Readonly<Pick<PodRecord, 'args'>>,
  place: ContainerPlace,
  onExit: (how: string) => void,
): ProcessIdentity | undefined {
  const output = openSync(place.logFile, 'a');
  try {
    const child = spawn('bash', ['-c', pod.args.trim() === '' ? idleCommand : pod.args], {
      cwd: place.folder,
      detached: true,
      env: environmentIn(place),
      stdio: ['ignore', output, output],
    });
    child.once('error', (error) => {
      onExit(`cannot be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      onExit(signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`);
    });
    return child.pid === undefined ? undefined : identify(child.pid);
  } finally {
    closeSync(output);
  }
}

/**
 * Ends every process of a container and comes back when none is left: SIGTERM to the group, SIGKILL after `graceMs`.
 * A leader that has gone and been replaced means that the group's number may be a stranger's: then the marker alone counts.
 */
export async function endContainer(leader: ProcessIdentity, folder: string, graceMs: number): Promise<void> {
  const now = identify(leader.pid);
  const groupIsOurs = now === undefined || now.startedAt === leader.startedAt;
  const alive = (): boolean =>
    (groupIsOurs && groupIsRunning(leader.pid)) || withEnvironment(folderVariable, folder).length > 0;
  const signalAll = (signal: NodeJS.Signals): void => {
    if (groupIsOurs) signalGroup(leader.pid, signal);
    signalStrays(folder, signal);
  };
  signalAll('SIGTERM');
  if (await gone(alive, graceMs)) return;
  signalAll('SIGKILL');
  await gone(alive, killedWithinMs);
}

/** Signals the processes that carry exactly this pod folder in their environment. */
export function signalStrays(folder: string, signal: NodeJS.Signals): void {
  for (const { pid, value } of withEnvironment(folderVariable, folder)) {
    if (value === folder && pid !== process.pid) signalProcess(pid, signal);
  }
}

async function gone(alive: () => boolean, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (alive()) {
    if (Date.now() >= deadline) return false;
    await sleep(pollMs);
  }
  return true;
}

/** Watches a process that is not a child of this one; the answer stops the watching. */
export function watchProcess(identity: ProcessIdentity, onExit: () => void): () => void {
  const timer = setInterval(() => {
    if (isRunning(identity)) return;
    clearInterval(timer);
    onExit();
  }, 200);
  return () => {
    clearInterval(timer);
  };
}
