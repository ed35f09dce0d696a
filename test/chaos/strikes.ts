import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '../support/processes.js';
import type { ChaosStack } from './chaos-stack.js';
import { isOnPod, type Failure } from './failures.js';
import { signalAll, victimsOn } from './pod-processes.js';
import type { TcpProxy } from './tcp-proxy.js';

/** A pod that boots starts its processes within this; what the strike is meant for may not run yet. */
const APPEARS_MS = 8000;

/** Lets one failure happen to the stack as a whole. Resolves when what can come back is back. */
export async function strike(stack: ChaosStack, failure: Failure): Promise<void> {
  const lasts = (): Promise<void> => delay(failure.seconds * 1000);
  const { manner } = failure;
  switch (failure.name) {
    case 'worker-killed':
    case 'worker-frozen': {
      const struck = stack.workers.slice(0, manner === 'one' ? 1 : undefined);
      if (failure.name === 'worker-killed') await Promise.all(struck.map((worker) => worker.kill()));
      else for (const worker of struck) worker.freeze();
      await lasts();
      for (const worker of struck) {
        worker.start();
        worker.thaw();
      }
      return;
    }
    case 'temporal-killed':
      await stack.temporal.kill();
      await lasts();
      stack.temporal.start();
      return;
    case 'temporal-frozen':
      stack.temporal.freeze();
      await lasts();
      stack.temporal.thaw();
      return;
    case 'runpod-failing':
      if (manner === 'sigstop') {
        stack.emulator.freeze();
        await lasts();
        stack.emulator.thaw();
        return;
      }
      await stack.account.fault({ kind: manner, forSeconds: failure.seconds });
      await lasts();
      return;
    case 'runpod-gone':
      await stack.emulator.kill();
      await lasts();
      stack.emulator.start();
      await stack.emulatorReady();
      return;
    case 'net-temporal':
      return disturb(stack.network.temporal, failure);
    case 'net-runpod':
      return disturb(stack.network.runpod, failure);
    case 'net-gate':
      return disturb(stack.network.gate, failure);
    case 'all-dead':
      await Promise.all(stack.workers.map((worker) => worker.kill()));
      if (manner === 'workers-and-temporal') await stack.temporal.kill();
      return;
    case 'database-deleted':
      if (manner === 'workers-restart') await Promise.all(stack.workers.map((worker) => worker.kill()));
      await stack.temporal.kill();
      for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${stack.databaseFile}${end}`, { force: true });
      await lasts();
      stack.temporal.start();
      for (const worker of stack.workers) worker.start();
      return;
    default:
      throw new Error(`${failure.name} strikes a pod, not the stack`);
  }
}

async function disturb(way: TcpProxy, { manner, seconds }: Failure): Promise<void> {
  if (manner === 'reset') {
    way.reset();
    return;
  }
  if (manner === 'cut') way.cut();
  else way.stall();
  await delay(seconds * 1000);
  way.open();
}

/** Lets one failure happen to one pod. @returns whether there was anything to strike */
export async function strikePod(stack: ChaosStack, podId: string, failure: Failure): Promise<boolean> {
  if (!isOnPod(failure.name)) throw new Error(`${failure.name} strikes the stack, not a pod`);
  const folder = stack.podFolder(podId);
  const find = (): number[] => victimsOn(folder, failure.name);
  const victims = await waitUntil(() => (find().length > 0 ? find() : undefined), {
    timeoutMs: APPEARS_MS,
    what: `${failure.name} of pod ${podId} runs`,
  }).catch(() => []);
  if (failure.manner === 'sigkill') {
    signalAll(victims, 'SIGKILL');
    return victims.length > 0;
  }
  signalAll(victims, 'SIGSTOP');
  await delay(failure.seconds * 1000);
  signalAll(victims, 'SIGCONT');
  return victims.length > 0;
}
