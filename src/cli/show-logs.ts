import { DevloopError } from '../contract/index.js';
import { redact, type Pod, type LogSource } from '../runpod/index.js';
import { checkSessionName } from './check.js';
import { Interrupt } from './interrupt.js';
import type { Output } from './output.js';
import { accountProblem, accountToAsk, ownedBy, surveyAccount, type AccountInUse } from './runpod-account.js';

export interface LogsRequest {
  readonly session: string;
  readonly follow: boolean;
  /** Lines of the past. */
  readonly tail: number;
  /** What RunPod itself says about the pod, instead of what runs on it. */
  readonly system: boolean;
}

/** The log of a session's pod as RunPod has it. Temporal is not asked: a pod that no session looks after has a log too. */
export async function showLogs({ session, follow, tail, system }: LogsRequest, out: Output): Promise<void> {
  checkSessionName(session);
  const account = accountToAsk();
  const interrupt = new Interrupt(out);
  const { signal } = interrupt;
  const source: LogSource = system ? 'system' : 'container';
  try {
    const pod = await podOf(session, account, signal);
    out.note(out.colors.dim(`pod ${pod.id} of session "${session}" at ${account.label}`));
    const clean = (line: string): string => redact(line, [pod.env.DEVLOOP_GATE_TOKEN ?? '']);
    if (follow) {
      const onLine = (line: string): void => void process.stdout.write(`${clean(line)}\n`);
      await account.runpod.followPodLogs(pod.id, { signal, tail, source, onLine });
      out.note(out.colors.dim('the pod is gone'));
      return;
    }
    const lines = (await account.runpod.podLogs(pod.id, { signal, tail, source })).map(clean);
    out.result({ session, podId: pod.id, lines }, lines.join('\n'));
  } catch (error) {
    throw signal.aborted ? signal.reason : accountProblem(error);
  } finally {
    interrupt.dispose();
  }
}

/** The newest living pod of that session name. */
async function podOf(session: string, account: AccountInUse, signal: AbortSignal): Promise<Pod> {
  const seen = await surveyAccount(account, signal);
  const isOurs = ownedBy(account.owner);
  const pods = seen.filter(({ name }) => name?.session === session && isOurs(name.owner)).map(({ pod }) => pod);
  const [newest] = pods.sort((a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? ''));
  if (newest) return newest;
  throw new DevloopError(
    'SESSION_NOT_FOUND',
    `session "${session}" has no living pod in RunPod's list, and a pod's log goes with it. What runs: devloop pods`,
  );
}
