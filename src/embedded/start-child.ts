import { setTimeout as delay } from 'node:timers/promises';
import { DevloopError } from '../contract/index.js';
import { describeExit, lastLines, spawnChild, withLog, type Child, type ChildSpec } from './child.js';
import type { StackChild } from './stack-types.js';

const POLL_MS = 25;
/** A free port may be taken by somebody else before our program listens on it. */
const PORT_ATTEMPTS = 3;

export interface StartChildOptions<Ready> {
  readonly spec: ChildSpec<StackChild>;
  /** Resolves to undefined while it is not ready; must not reject. */
  readonly probe: () => Promise<Ready | undefined>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Last sentence of the error. */
  readonly wayOut: string;
  /** Called as soon as the process lives, before it is ready: whoever ends the stack must know it. */
  readonly onSpawn: (child: Child<StackChild>) => void;
}

/** @throws DevloopError `STACK_FAILED` with the end of the child's log; the child is left to whoever got it from `onSpawn` */
export async function startChild<Ready>(
  options: StartChildOptions<Ready>,
): Promise<{ child: Child<StackChild>; ready: Ready }> {
  const { spec, probe, timeoutMs, signal, wayOut, onSpawn } = options;
  signal.throwIfAborted();
  const child = await spawnChild(spec);
  onSpawn(child);
  const ended = child.exited.then((exit) => ({ exit }));
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const outcome = await Promise.race([ended, probe().then((ready) => ({ ready }))]);
    signal.throwIfAborted();
    if ('exit' in outcome) throw new DevloopError('STACK_FAILED', `${describeExit(child, outcome.exit)}\n${wayOut}`);
    if (outcome.ready !== undefined) return { child, ready: outcome.ready };
    if (Date.now() >= deadline) {
      throw new DevloopError(
        'STACK_FAILED',
        `${withLog(`${spec.name} was not ready within ${timeoutMs / 1000} s`, child)}\n${wayOut}`,
      );
    }
    await Promise.race([ended, delay(POLL_MS)]);
  }
}

/** Runs `start` again, with other ports, when the program found its port taken. */
export async function withFreshPorts<T>(logFile: string, start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      const portTaken = lastLines(logFile).some((line) => /address already in use|EADDRINUSE/i.test(line));
      if (attempt === PORT_ATTEMPTS || !portTaken) throw error;
    }
  }
}
