import type { Payload, ProtoFailure } from '@temporalio/common';
import { signature, type Command } from '../runtime/commands.js';
import { WorkflowInstance, type TaskInput } from '../runtime/instance.js';
import { toFailure } from '../runtime/payloads.js';
import type { RecordedTask, Run } from '../server/run.js';
import type { Server } from '../server/server.js';

export type TaskOutcome =
  | { readonly kind: 'done'; readonly commands: readonly Command[] }
  | { readonly kind: 'failed'; readonly failure: ProtoFailure; readonly finding: string };

interface Entry {
  readonly instance: WorkflowInstance;
  /** The last task that the server took from it. Another one in the run's history means that others went on with it. */
  last: RecordedTask | undefined;
}

/** Runs in a worker's memory. What is not there, or was left behind, is made anew from its history. */
export class WorkflowCache {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly server: Server) {}

  forget(run: Run): void {
    this.entries.delete(run.runId);
  }

  confirm(run: Run, record: RecordedTask): void {
    const entry = this.entries.get(run.runId);
    if (!entry) return;
    if (run.isRunning) entry.last = record;
    else this.forget(run);
  }

  /** @returns a function, since a rejection that nobody handles shows only after the code has come to rest */
  async perform(run: Run, input: TaskInput): Promise<() => TaskOutcome> {
    try {
      const entry = await this.entryOf(run);
      // Until the server has taken the task, the instance is ahead of the history.
      entry.last = undefined;
      const commands = await entry.instance.perform(input);
      return () => {
        const { unhandledRejection } = entry.instance;
        return unhandledRejection === undefined ? { kind: 'done', commands } : this.failed(run, unhandledRejection);
      };
    } catch (error) {
      const outcome = this.failed(run, error);
      return () => outcome;
    }
  }

  async query(run: Run, queryType: string, args: Payload[]): Promise<Payload> {
    const { instance } = await this.entryOf(run);
    return instance.query(queryType, args);
  }

  private failed(run: Run, error: unknown): TaskOutcome {
    this.forget(run);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const kind = error instanceof NondeterminismError ? 'nondeterminism' : 'workflow task failed';
    return { kind: 'failed', failure: toFailure(error), finding: `${kind}: ${run.workflowId}: ${text}` };
  }

  private async entryOf(run: Run): Promise<Entry> {
    const last = run.history.at(-1);
    const known = this.entries.get(run.runId);
    const { kernel, settings } = this.server;
    const isCurrent = known !== undefined && last !== undefined && known.last === last;
    if (isCurrent && !kernel.chance(settings.evictionProbability)) return known;
    const entry: Entry = { instance: await this.rebuild(run), last };
    this.entries.set(run.runId, entry);
    return entry;
  }

  private async rebuild(run: Run): Promise<WorkflowInstance> {
    const workflow = this.server.workflows[run.info.workflowType];
    if (!workflow) throw new Error(`no workflow of type ${run.info.workflowType}`);
    const instance = new WorkflowInstance(run.info, workflow, this.server.payloads);
    for (const [at, record] of run.history.entries()) {
      const replayed = signature(await instance.perform({ ...record, replay: { patches: record.patches } }));
      if (replayed !== record.signature) throw new NondeterminismError(at, record.signature, replayed);
    }
    return instance;
  }
}

class NondeterminismError extends Error {
  constructor(task: number, recorded: string, replayed: string) {
    super(`task ${task} asked for\n${recorded}\nand in a replay for\n${replayed}`);
  }
}
