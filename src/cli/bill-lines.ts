import { parsePodName } from '../contract/index.js';
import { reconcile, type BillLine } from '../cost/reconcile.js';
import type { SessionFacts } from '../cost/session-facts.js';
import { accountProblem, accountToAsk, ownedBy } from './runpod-account.js';

/**
 * RunPod's bill beside our costs.
 * @throws DevloopError `CONFIG_INVALID`, `RUNPOD_UNAUTHORIZED`, `RUNPOD_UNREACHABLE`; the signal's reason
 */
export async function billLines(
  sessions: readonly SessionFacts[],
  sinceMs: number,
  untilMs: number,
  signal: AbortSignal,
): Promise<BillLine[]> {
  const { runpod, owner } = accountToAsk();
  const isOurs = ownedBy(owner);
  try {
    const billed = await runpod.podBilling({ from: new Date(sinceMs), to: new Date(untilMs), signal });
    const { pods } = await runpod.listPods({ signal });
    const names = new Map(pods.map(({ id, name }) => [id, name]));
    const nameOf = (podId: string) => {
      const name = names.get(podId);
      return name === undefined ? undefined : { name, ours: isOurs(parsePodName(name)?.owner ?? '') };
    };
    return reconcile({ sessions, billed, nameOf, sinceMs, untilMs });
  } catch (error) {
    throw signal.aborted ? signal.reason : accountProblem(error);
  }
}
