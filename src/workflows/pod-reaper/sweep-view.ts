import { literal, type SeenPod, type SweepReport } from '../../contract/index.js';

/** Markdown for Temporal's Web UI. */
export function sweepDetails({ at, pods, suspects, ended, reported, problems }: SweepReport): string {
  const lines = [
    ...ended.map((pod) => `ended ${line(pod)}`),
    ...suspects.map((pod) => `suspect ${line(pod)}`),
    ...reported.map((pod) => `seen ${line(pod)}`),
    ...problems.map((problem) => `problem: ${problem}`),
  ];
  const found = lines.length === 0 ? ['Nothing to end.'] : lines.map((text) => `- ${literal(text)}`);
  return [`### ${pods} pods in RunPod's list at ${at}`, '', ...found].join('\n');
}

function line({ podId, podName, verdict, why }: SeenPod): string {
  return `${podId} (${podName}): ${verdict}, ${why}`;
}
