import type { ClassifiedPod } from '../runpod/index.js';
import { formatSeconds, formatUsd } from './duration.js';
import { Interrupt } from './interrupt.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import { accountProblem, accountToAsk, surveyAccount } from './runpod-account.js';
import { renderTable } from './table.js';

const HEADER = ['POD', 'SESSION', 'OWNER', 'GPU', 'STATUS', 'USD/HOUR', 'UP', 'SWITCH', 'VERDICT', 'WHY'] as const;

/** Every Devloop pod of the account, whoever owns it; others are only counted. */
export async function showPods(out: Output): Promise<void> {
  const account = accountToAsk();
  const interrupt = new Interrupt(out);
  const progress = await Progress.create(out);
  try {
    out.note(out.colors.dim(`RunPod: ${account.label}`));
    if (out.live) progress.start('list', "reading RunPod's list, and the gates of the pods");
    const pods = await surveyAccount(account, interrupt.signal);
    progress.clear();
    const ours = pods.filter(({ name }) => name !== undefined);
    const strangers = pods.length - ours.length;
    const others = strangers === 0 ? '' : `${strangers} other pods of the account are not Devloop's`;
    const table = ours.length === 0 ? 'no pod of Devloop' : renderTable(HEADER, ours.map(podRow));
    out.result({ pods: ours.map(podDocument), strangers }, [table, others].filter(Boolean).join('\n'));
  } catch (error) {
    throw interrupt.signal.aborted ? interrupt.signal.reason : accountProblem(error);
  } finally {
    progress.clear();
    interrupt.dispose();
  }
}

/** What programs read about a pod. Its environment stays here: it holds the gate's token. */
export function podDocument({ pod, name, mine, deadman, verdict, why }: ClassifiedPod) {
  return {
    id: pod.id,
    name: pod.name,
    session: name?.session,
    owner: name?.owner,
    mine,
    gpu: pod.gpu?.id,
    status: pod.status,
    costPerHourUsd: pod.costPerHourUsd,
    createdAt: pod.createdAt,
    hardDeadline: name && new Date(name.hardDeadlineSeconds * 1000).toISOString(),
    deadman: deadman?.state,
    verdict,
    why,
  };
}

function podRow(seen: ClassifiedPod): string[] {
  const { pod, name, deadman, verdict, why } = seen;
  const upSeconds = pod.createdAt === undefined ? undefined : (Date.now() - Date.parse(pod.createdAt)) / 1000;
  return [
    pod.id,
    name?.session ?? '-',
    name?.owner ?? '-',
    pod.gpu?.id ?? '-',
    pod.status,
    pod.costPerHourUsd === undefined ? '-' : formatUsd(pod.costPerHourUsd),
    upSeconds === undefined ? '-' : formatSeconds(Math.max(0, upSeconds)),
    deadman?.state ?? '-',
    verdict,
    why,
  ];
}
