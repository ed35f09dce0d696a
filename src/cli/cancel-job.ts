import { DevloopError } from '../contract/index.js';
import { checkJobId } from './check.js';
import { connectToRunning } from './connect.js';
import { Interrupt } from './interrupt.js';
import type { Output } from './output.js';

export async function cancelJob(jobId: string, detach: boolean, out: Output): Promise<void> {
  checkJobId(jobId);
  const { client } = await connectToRunning(out);
  const interrupt = new Interrupt(out);
  try {
    const job = client.job(jobId);
    if ((await job.cancel()) === 'had-ended') {
      const status = await job.status();
      out.result({ jobId, status }, `job ${jobId} had ended before: ${status.phase}`);
      return;
    }
    if (!detach) await job.result(interrupt.signal).catch(ignoreItsEnd);
    const status = detach ? undefined : await job.status();
    out.result({ jobId, ...(status && { status }) }, `job ${jobId} ${status?.phase ?? 'was asked to end'}`);
  } finally {
    interrupt.dispose();
    await client.close();
  }
}

/** That the job ended is what was wanted, whatever it says; losing Temporal or patience is another matter. */
function ignoreItsEnd(error: unknown): void {
  if (!(error instanceof DevloopError) || error.code === 'TEMPORAL_UNREACHABLE') throw error;
}
