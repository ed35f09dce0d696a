import type { JobHandle, ListedJob } from '../client/index.js';
import { DevloopError, type AgentJobResult, type JobStatus } from '../contract/index.js';
import { checkJobId } from './check.js';
import { connectToRunning, fromWorker } from './connect.js';
import { formatSeconds, formatUsd } from './duration.js';
import { errorDocument } from './exit-codes.js';
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
    const job = client.job(jobId);
    const status = await fromWorker(connected, () => job.status());
    const result = status.phase === 'done' ? await job.result() : undefined;
    const failure = isOver(status) && result === undefined ? await failureOf(job) : undefined;
    out.result(
      { jobId, status, ...(result && { result }), ...(failure && { failure }) },
      jobText(jobId, status, result),
    );
  } finally {
    await client.close();
  }
}

/** One line of the table. Exported for its test. */
export function jobRow({ jobId, state, session, project, startedAt, endedAt }: ListedJob): string[] {
  const took = endedAt === undefined ? '-' : formatSeconds((Date.parse(endedAt) - Date.parse(startedAt)) / 1000);
  return [jobId, state, session ?? '-', project ?? '-', startedAt, took];
}

function jobText(jobId: string, { phase, session, agent, why }: JobStatus, result: AgentJobResult | undefined): string {
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

function isOver({ phase }: JobStatus): boolean {
  return phase !== 'waiting' && phase !== 'running';
}

async function failureOf(job: JobHandle): Promise<{ code: string; message: string } | undefined> {
  try {
    await job.result();
    return undefined;
  } catch (error) {
    if (!(error instanceof DevloopError)) throw error;
    return errorDocument(error).error;
  }
}
