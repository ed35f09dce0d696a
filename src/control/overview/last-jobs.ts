import type { DevloopClient, JobReport, ListedJob } from '../../client/index.js';
import { atOnce } from '../../client/internal.js';
import { hasEnded, jobWorkflowId } from '../../contract/index.js';
import type { JobOverview } from './schemas.js';

const JOBS = 10;
/** Each asks Temporal several things. */
const AT_ONCE = 5;
const MAX_KEPT = 100;

/** The newest jobs with what their workflows tell. One that has ended never changes, so it is asked once. */
export class LastJobs {
  private readonly ended = new Map<string, JobOverview>();

  /** @param asksWorkers a worker is there to answer for jobs that run */
  async look(client: DevloopClient, asksWorkers: boolean, signal: AbortSignal): Promise<JobOverview[]> {
    const listed = await client.listJobs(JOBS, signal);
    return atOnce(AT_ONCE, listed, (job) => this.lookAt(client, job, asksWorkers, signal));
  }

  private async lookAt(
    client: DevloopClient,
    listed: ListedJob,
    asksWorkers: boolean,
    signal: AbortSignal,
  ): Promise<JobOverview> {
    const known = this.ended.get(listed.jobId);
    if (known !== undefined) return known;
    const bare = { ...listed, workflowId: jobWorkflowId(listed.jobId) };
    if (!hasEnded(listed.state) && !asksWorkers) return bare;
    try {
      const report = await client.job(listed.jobId).report(signal);
      const job = overviewOf(bare, report);
      // The listing lags: a job that it does not yet show as ended has no end.
      if (hasEnded(listed.state)) this.keep(job);
      return job;
    } catch {
      // One that cannot be read, such as one of another version, hides no other.
      signal.throwIfAborted();
      return bare;
    }
  }

  private keep(job: JobOverview): void {
    this.ended.set(job.jobId, job);
    const [oldest] = this.ended.keys();
    if (this.ended.size > MAX_KEPT && oldest !== undefined) this.ended.delete(oldest);
  }
}

function overviewOf(
  bare: ListedJob & { readonly workflowId: string },
  { status, result, failure }: JobReport,
): JobOverview {
  const { agent, phase: state, waitSeconds, runSeconds } = status;
  const { usage, costUsd } = result ?? {};
  const hasRate = usage !== undefined && runSeconds > 0;
  return {
    ...bare,
    agent,
    state,
    waitSeconds,
    runSeconds,
    ...(hasRate && { tokensPerSecond: usage.outputTokens / runSeconds }),
    ...(costUsd !== undefined && { costUsd }),
    ...(failure !== undefined && { failure }),
  };
}
