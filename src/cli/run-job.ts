import type { AgentJobInput } from '../contract/index.js';
import { connectToRunning, requireWorker } from './connect.js';
import { formatSeconds, formatUsd } from './duration.js';
import { asRemote, Interrupted } from './exit-codes.js';
import { Interrupt } from './interrupt.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import type { JobHandle } from '../client/index.js';

const STATUS_INTERVAL_MS = 1000;

export async function runJob(input: AgentJobInput, detach: boolean, out: Output): Promise<void> {
  const connected = await connectToRunning(out);
  const { client } = connected;
  const interrupt = new Interrupt(out);
  const progress = await Progress.create(out);
  try {
    await requireWorker(connected, interrupt.signal);
    const { jobId, handle } = await client.submitJob(input);
    interrupt.remains = `Job ${jobId} goes on. Its state: devloop jobs ${jobId}. End it: devloop cancel ${jobId}`;
    if (detach) {
      out.result({ jobId }, jobId);
      return;
    }
    progress.start('job', `job ${jobId}`);
    const showing = showStatus(handle, progress);
    try {
      const result = await handle.result(interrupt.signal);
      const { usage, waitSeconds, runSeconds, costUsd } = result;
      progress.finish(
        'job',
        `waited ${formatSeconds(waitSeconds)}, ran ${formatSeconds(runSeconds)}: ${usage.inputTokens} tokens in, ${usage.outputTokens} out, ${formatUsd(costUsd)}`,
      );
      out.result({ jobId, ...result }, result.output);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw asRemote(error);
      await handle.cancel();
      progress.line(`● job ${jobId} was asked to end`);
      throw error;
    } finally {
      clearInterval(showing);
    }
  } finally {
    progress.clear();
    interrupt.dispose();
    await client.close();
  }
}

/** Words about a waiting job; only shown, so a status that cannot be had is skipped. */
function showStatus(handle: JobHandle, progress: Progress): NodeJS.Timeout {
  return setInterval(() => {
    handle.status().then(
      (status) => {
        progress.update('job', `job ${handle.jobId} ${status.phase}: ${status.why}`);
      },
      () => undefined,
    );
  }, STATUS_INTERVAL_MS);
}
