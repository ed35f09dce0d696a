import { DevloopError } from '../contract/index.js';
import { connectLocally } from './pollers.js';
import { waitUntilGone, type ProcessIdentity } from './processes.js';
import { readStack, supervisorOf } from './stack-file.js';
import { lockHolder } from './stack-lock.js';
import type { StackInfo } from './stack-types.js';
import { isUsed } from './stack-use.js';

/** Longer than the graces of the three children together. */
const END_LIMIT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 2000;

/**
 * Ends the data folder's stack now, instead of 10 s from now, unless another client or a session is there. Release your own
 * registration first. When it says `ended`, every process of the stack was seen gone.
 * @param options.waitMs how long the supervisor may take to agree that nobody uses it
 * @throws DevloopError `STACK_FAILED` when it does not come to an end
 */
export async function endStackIfUnused(dataDir: string, { waitMs = 5000 } = {}): Promise<'ended' | 'in-use'> {
  const stack = readStack(dataDir);
  if (stack === undefined) {
    const ending = lockHolder(dataDir);
    if (ending !== undefined) await waitForEnd(ending);
    return 'ended';
  }
  if (await isStackUsed(dataDir, stack)) return 'in-use';
  const supervisor = supervisorOf(stack);
  signalTo(supervisor, 'SIGHUP');
  const left = await waitUntilGone([supervisor], waitMs);
  if (left.length === 0) return 'ended';
  // Somebody came in between, and the supervisor stays for them.
  if (readStack(dataDir) !== undefined) return 'in-use';
  await waitForEnd(supervisor);
  return 'ended';
}

/**
 * Ends the data folder's stack whoever uses it. Its sessions' pods end with the emulator; those of a real account do not.
 * @throws DevloopError `STACK_FAILED` when it does not come to an end
 */
export async function stopStack(dataDir: string): Promise<void> {
  const supervisor = lockHolder(dataDir);
  if (supervisor === undefined) return;
  signalTo(supervisor, 'SIGTERM');
  await waitForEnd(supervisor);
}

async function isStackUsed(dataDir: string, stack: StackInfo): Promise<boolean> {
  const connection = await connectLocally(stack.temporalAddress, CONNECT_TIMEOUT_MS).catch(() => undefined);
  try {
    return await isUsed({ dataDir, connection, stack });
  } finally {
    await connection?.close();
  }
}

async function waitForEnd(supervisor: ProcessIdentity): Promise<void> {
  const left = await waitUntilGone([supervisor], END_LIMIT_MS);
  if (left.length === 0) return;
  throw new DevloopError(
    'STACK_FAILED',
    `the stack does not end: its supervisor, process ${supervisor.pid}, still runs. End it with kill -9 ${supervisor.pid}; its children end with it.`,
  );
}

function signalTo({ pid }: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}
