import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import type { Temporal } from './temporal.js';

/** `had-ended`: there was nothing left to ask. */
export type Asked = 'asked' | 'had-ended';

/** Temporal answers "not found" for a closed workflow too: only one that it can describe existed. */
export async function askToEnd(
  temporal: Temporal,
  handle: WorkflowHandle,
  ask: () => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<Asked> {
  try {
    await temporal.call(ask, signal);
    return 'asked';
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    await temporal.call(() => handle.describe(), signal);
    return 'had-ended';
  }
}
