import type { Payload } from '@temporalio/common';
import { job, type Job } from '../runtime/job.js';

export interface UpdateAnswer {
  readonly resolve: (result: Payload | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** A client's update. Until the workflow accepts it no history knows of it. */
export class ServerUpdate {
  accepted = false;

  constructor(
    readonly id: string,
    readonly name: string,
    readonly args: Payload[],
    readonly answer: UpdateAnswer,
  ) {}

  /** @param runValidator not in a replay: it was valid once */
  asJob(runValidator: boolean): Job {
    const { id, name, args } = this;
    return job('doUpdate', { id, protocolInstanceId: id, name, input: args, runValidator });
  }
}
