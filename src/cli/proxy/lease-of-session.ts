import type { DevloopClient, Lease, LeaseOptions } from '../../client/index.js';
import { DevloopError, isAccepting, type PodSessionInput } from '../../contract/index.js';

export interface LeaseSteps {
  /** The session that is asked from now on. */
  readonly asking: () => void;
  /** The session of that name takes nobody any more; the next one is started when it has ended. */
  readonly ending: () => void;
}

/**
 * A lease on the session of that name, which is started when there is none. One that was ending already when it was joined is
 * waited for, and the next one started: whoever comes at that moment must not be refused for it.
 * @throws DevloopError as `startSession` and `requestLease`
 */
export async function leaseOfSession(
  client: Pick<DevloopClient, 'startSession' | 'session'>,
  session: PodSessionInput,
  options: LeaseOptions & { readonly signal: AbortSignal },
  steps: LeaseSteps,
): Promise<Lease> {
  const { signal } = options;
  for (;;) {
    const { session: name, runId, joined } = await client.startSession(session, signal);
    const handle = client.session(name, runId);
    let waited = false;
    steps.asking();
    const onQueued = (position: number): void => {
      waited = true;
      options.onQueued?.(position);
    };
    try {
      return await handle.requestLease({ ...options, onQueued });
    } catch (error) {
      // Who waited in its queue belonged to it: what ended it is the answer.
      if (!joined || waited || !isOver(error) || isAccepting((await handle.status(signal)).phase)) throw error;
      steps.ending();
      // How it ended is no matter of the next one.
      await handle.result(signal).catch(() => undefined);
      signal.throwIfAborted();
    }
  }
}

function isOver(error: unknown): boolean {
  return error instanceof DevloopError && (error.code === 'LEASE_REVOKED' || error.code === 'SESSION_NOT_FOUND');
}
