import { randomUUID } from 'node:crypto';
import type { DevloopClient, JobHandle } from '../../client/index.js';
import { DevloopError, type AgentJobResult, type PodSessionInput } from '../../contract/index.js';
import { formatSeconds } from '../duration.js';
import { asRemote, Interrupted } from '../exit-codes.js';
import type { Progress } from '../progress.js';

/** The job that shows a new session at work. It waits for the pod together with the person who watches. */
export class HelloJob {
  answer: AgentJobResult | undefined;
  /** Why there is no answer; a `RemoteFailure`. */
  failure: Error | undefined;
  private open = true;

  private constructor(
    readonly handle: JobHandle,
    private readonly progress: Progress,
  ) {}

  /** @param started the session's input: where the job has to start it again, after a lost pod, it has the same limits */
  static async submit(
    client: DevloopClient,
    progress: Progress,
    prompt: string,
    started: PodSessionInput,
  ): Promise<HelloJob> {
    const { session, project } = started;
    const sessionOptions: Partial<PodSessionInput> = { ...started };
    for (const name of ['session', 'project', 'startedBy'] as const) delete sessionOptions[name];
    const input = { session, input: prompt, sessionOptions, ...(project === undefined ? {} : { project }) };
    const { handle } = await client.submitJob(input, { jobId: randomUUID() });
    return new HelloJob(handle, progress);
  }

  get workflowId(): string {
    return this.handle.workflowId;
  }

  /** Neither answered nor failed yet. */
  get pending(): boolean {
    return this.open;
  }

  /** Waits for the answer and shows it. A failure is kept, not thrown: the session goes on and must be watched to its end. */
  async follow(signal: AbortSignal): Promise<void> {
    try {
      this.answer = await this.handle.result(signal);
      const { output, usage, runSeconds } = this.answer;
      this.progress.line(`\n${output.trim()}\n`);
      this.progress.line(
        `✔ answered: ${usage.inputTokens} tokens in, ${usage.outputTokens} out, ${formatSeconds(runSeconds)} on the pod`,
      );
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      this.failure = asRemote(error);
      const text = error instanceof DevloopError ? `${error.code}: ${error.message}` : String(error);
      this.progress.line(`✖ the job failed: ${text}`);
    }
    this.open = false;
  }

  /** Its lease keeps the pod: somebody who leaves takes the job back. */
  async cancel(): Promise<void> {
    if (this.open) await this.handle.cancel();
  }
}
