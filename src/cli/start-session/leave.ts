import type { SessionHandle } from '../../client/index.js';
import type { SessionStatus } from '../../contract/index.js';
import type { Progress } from '../progress.js';
import type { HelloJob } from './hello-job.js';

/** How a person leaves a session: it ends, unless somebody else uses it or waits for it. */
export type Leaving = 'stopping' | 'detached';

export async function leave(session: SessionHandle, job: HelloJob | undefined, progress: Progress): Promise<Leaving> {
  const name = session.session;
  const others = await otherUsers(session, job);
  if (others === 'nobody') {
    progress.line(`● stopping session "${name}"; press Ctrl-C again to leave without waiting`);
    await session.stop('interrupted by the person who started it');
    return 'stopping';
  }
  await job?.cancel();
  progress.line(
    `● detached: ${others}, so session "${name}" goes on until nobody uses it. Look: devloop status ${name}. End it: devloop stop ${name}`,
  );
  return 'detached';
}

/** Leases and queued requests that are not this command's own. */
export function countOthers(status: SessionStatus, ownWorkflowId: string | undefined, ownPending: boolean): number {
  // An external holder has no workflow id, and neither have we without a job.
  const isOwn = (id: string | undefined): boolean => id !== undefined && id === ownWorkflowId;
  const others = status.leases.filter((lease) => !isOwn(lease.holder.workflowId));
  const ownLease = others.length < status.leases.length;
  const ownQueued = ownPending && !ownLease && status.queued > 0 ? 1 : 0;
  return others.length + status.queued - ownQueued;
}

/** Words for people. Somebody whom we cannot see counts as somebody. */
async function otherUsers(session: SessionHandle, job: HelloJob | undefined): Promise<string> {
  try {
    const others = countOthers(await session.status(), job?.workflowId, job?.pending ?? false);
    if (others === 0) return 'nobody';
    return others === 1 ? 'somebody else uses it' : `${others} others use it`;
  } catch (error) {
    return `nobody could say who uses it (${error instanceof Error ? error.message : String(error)})`;
  }
}
