import { DevloopError } from '../contract/index.js';
import { endPods, isLate, systemClock, systemSleep, type ClassifiedPod } from '../runpod/index.js';
import { EXIT } from './exit-codes.js';
import { Interrupt } from './interrupt.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import { accountOfKey, accountProblem, surveyAccount, type AccountInUse } from './runpod-account.js';
import { podDocument } from './show-pods.js';

/** A pod that RunPod has not ended by then is the next run's, and somebody is told by the exit code. */
const END_WITHIN_MS = 180_000;
const PING_TIMEOUT_MS = 10_000;

export interface ReapRequest {
  readonly dryRun: boolean;
  /** Every pod of this session, whatever its verdict. */
  readonly session: string | undefined;
  /** Instead of `DEVLOOP_OWNER`. */
  readonly owner: string | undefined;
  /** Other owners' pods too, once they are past their deadline. */
  readonly anyOwner: boolean;
  /** Asked with GET after a run that read the list. */
  readonly pingUrl: string | undefined;
}

/**
 * Ends what is late, by RunPod's list alone: needs no Temporal, no worker, no state. Exit code 4 when it found something to end,
 * unless a session was named; 1 when RunPod did not end it.
 */
export async function reapPods(request: ReapRequest, out: Output): Promise<void> {
  const found = accountOfKey();
  const account: AccountInUse = request.owner === undefined ? found : { ...found, owner: request.owner };
  const interrupt = new Interrupt(out);
  interrupt.remains = 'Pods that were asked to end go on ending.';
  const progress = await Progress.create(out);
  try {
    progress.start('list', `reading the pods of ${account.label}, owner ${account.owner}`);
    const pods = await surveyAccount(account, interrupt.signal);
    const toEnd = pods.filter((seen) => isToEnd(seen, request));
    progress.finish('list', `${pods.length} pods, ${toEnd.length} to end`);
    for (const seen of toEnd) progress.line(`  ${describe(seen)}`);
    for (const seen of pods.filter((other) => !toEnd.includes(other) && isNoteworthy(other)))
      progress.line(`  left alone: ${describe(seen)}`);
    const left = request.dryRun ? [] : await end(toEnd, account, progress, interrupt.signal);
    const ended = request.dryRun ? [] : toEnd.filter(({ pod }) => !left.includes(pod.id));
    out.document({
      owner: account.owner,
      pods: pods.length,
      found: toEnd.map(podDocument),
      ended: ended.map(({ pod }) => pod.id),
      left,
      dryRun: request.dryRun,
    });
    if (left.length > 0) {
      const message = `RunPod has not ended ${left.join(', ')} within ${END_WITHIN_MS / 1000} s. Look at RunPod's console; run this again.`;
      throw new DevloopError('POD_STUCK', message);
    }
    await ping(request.pingUrl, progress);
    if (toEnd.length > 0 && (request.dryRun || request.session === undefined)) process.exitCode = EXIT.found;
  } catch (error) {
    throw interrupt.signal.aborted ? interrupt.signal.reason : accountProblem(error);
  } finally {
    progress.clear();
    interrupt.dispose();
  }
}

function isToEnd(seen: ClassifiedPod, { session, anyOwner }: ReapRequest): boolean {
  if (session !== undefined) return seen.mine && seen.name?.session === session;
  return isLate(seen) || (anyOwner && seen.verdict === 'overdue');
}

function isNoteworthy({ verdict, pod }: ClassifiedPod): boolean {
  return verdict === 'overdue' || pod.status === 'EXITED';
}

async function end(
  toEnd: readonly ClassifiedPod[],
  { runpod }: AccountInUse,
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (toEnd.length === 0) return [];
  const podIds = toEnd.map(({ pod }) => pod.id);
  progress.start('end', `ending ${podIds.join(', ')}: waiting until RunPod shows them gone`);
  const { left, lastError } = await endPods(podIds, {
    runpod,
    clock: systemClock,
    sleep: systemSleep,
    signal,
    withinMs: END_WITHIN_MS,
  });
  progress.finish(
    'end',
    left.length === 0 ? 'gone' : `not gone: ${left.join(', ')}${lastError ? ` (${lastError})` : ''}`,
  );
  return left;
}

/** A monitor that hears nothing raises the alarm; one that cannot be reached must not hide what was done here. */
async function ping(url: string | undefined, progress: Progress): Promise<void> {
  if (url === undefined) return;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PING_TIMEOUT_MS) });
    if (!answer.ok) progress.line(`! --ping-url: it answered with HTTP ${answer.status}`);
  } catch (error) {
    progress.line(`! --ping-url: not reached (${error instanceof Error ? error.message : String(error)})`);
  }
}

function describe({ pod, verdict, why }: ClassifiedPod): string {
  return `${pod.id} (${pod.name}), ${pod.status}: ${verdict}, ${why}`;
}
