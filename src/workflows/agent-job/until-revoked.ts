import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { JobState } from './job-state.js';

/** Lets an activity use the pod until it ends, or cancels it when the session takes the lease back. */
export async function untilRevoked<T>(state: JobState, use: () => Promise<T>): Promise<{ value: T } | 'revoked'> {
  const scope = new CancellationScope();
  const running = scope.run(use);
  const ended = running.then(
    () => 'ended' as const,
    () => 'ended' as const,
  );
  const first = await Promise.race([ended, condition(() => state.revoked !== undefined)]);
  if (first !== 'ended') scope.cancel();
  try {
    return { value: await running };
  } catch (error) {
    // Not by `state.revoked`: the next grant may be here before the work has stopped.
    if (first !== 'ended' && isCancellation(error)) return 'revoked';
    throw error;
  }
}
