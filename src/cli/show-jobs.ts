import type { JobReport, ListedJob } from '../client/index.js';
import { checkJobId } from './check.js';
import { connectToRunning, fromWorker } from './connect.js';
import { formatSeconds, formatUsd } from './duration.js';
import type { Output } from './output.js';
import { renderTable } from './table.js';

const LAST_JOBS = 10;
const HEADER = ['JOB', 'STATE', 'SESSION', 'PROJECT', 'STARTED', 'TOOK'] as const;

export async function showJobs(out: Output): Promise<void> {
  const { client } = await connectToRunning(out);
  try {
    const jobs = await client.listJobs(LAST_JOBS);
    const table = jobs.length === 0 ? 'no job was submitted yet' : renderTable(HEADER, jobs.map(jobRow));
    out.result({ jobs }, table);
  } finally {
    await client.close();
  }
}

export async function showJob(jobId: string, out: Output): Promise<void> {
  checkJobId(jobId);
  const connected = await connectToRunning(out);
  const { client } = connected;
  try {
    const report = await fromWorker(connected, () => client.job(jobId).report());
    out.result(report, jobText(report));
  } finally {
    await client.close();
  }
}

/** One line of the table. Exported for its test. */
export function jobRow({ jobId, state, session, project, startedAt, endedAt }: ListedJob): string[] {
  const took = endedAt === undefined ? '-' : formatSeconds((Date.parse(endedAt) - Date.parse(startedAt)) / 1000);
  return [jobId, state, session ?? '-', project ?? '-', startedAt, took];
}

function jobText({ jobId, status, result }: JobReport): string {
  const { phase, session, agent, why } = status;
  const head = `job ${jobId} is ${phase} (agent ${agent} on session ${session}). ${why}`;
  if (result === undefined) return head;
  const { output, usage, podId, waitSeconds, runSeconds, costUsd } = result;
  return [
    head,
    `pod ${podId}; waited ${formatSeconds(waitSeconds)}, ran ${formatSeconds(runSeconds)}; ` +
      `${usage.inputTokens} tokens in, ${usage.outputTokens} out; ${formatUsd(costUsd)}`,
    '',
    output,
  ].join('\n');
}
