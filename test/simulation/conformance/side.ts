import type { Client, WorkflowHandle } from '@temporalio/client';
import { shown } from './trace.js';

/** One of the two that must end alike: the stand-in, or the real server. */
export interface Side {
  readonly client: Client;
  /** Polled from the beginning. */
  readonly taskQueue: string;
  /** Of this scenario alone; nobody polls it before `startWorker`. */
  readonly quietQueue: string;
  readonly sleep: (ms: number) => Promise<void>;
  readonly startWorker: () => Promise<{ readonly stop: () => Promise<void> }>;
  /** Takes a workflow back to before its task of that number, from 0. */
  readonly reset: (workflowId: string, task: number) => Promise<void>;
  /** Prefix of the scenario's workflow ids. */
  readonly prefix: string;
}

export interface Scenario {
  readonly name: string;
  /** @returns what both sides must show alike; no times, no ids */
  readonly play: (side: Side) => Promise<unknown>;
}

export interface Starting {
  readonly id?: string;
  readonly args?: readonly unknown[];
  readonly quiet?: boolean;
  readonly options?: object;
}

export const idOf = (side: Side, id = 'one'): string => `${side.prefix}/${id}`;

export async function start(
  side: Side,
  type: string,
  { id, args, quiet, options }: Starting = {},
): Promise<WorkflowHandle> {
  return side.client.workflow.start(type, {
    workflowId: idOf(side, id),
    taskQueue: quiet ? side.quietQueue : side.taskQueue,
    args: [...(args ?? [])],
    ...options,
  });
}

/** How a workflow ended: its status, and its result or failure. */
export async function ending(handle: WorkflowHandle): Promise<unknown> {
  const outcome = await attempt(() => handle.result());
  const { status } = await handle.describe();
  return { status: status.name, ...outcome };
}

/** What a call answered, or how it failed. */
export async function attempt(call: () => Promise<unknown>): Promise<{ answer: unknown } | { error: unknown }> {
  try {
    return { answer: (await call()) ?? 'nothing' };
  } catch (error) {
    return { error: shown(error) };
  }
}

/** Waits until a listener has told its worker something; queries see what tasks have done. */
export async function until(side: Side, what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 200; look++) {
    if (await isSo()) return;
    await side.sleep(50);
  }
  throw new Error(`${side.prefix}: ${what} did not come`);
}

/** Waits until a workflow's trace has that word. */
export const untilHeard = (side: Side, handle: WorkflowHandle, text: string): Promise<void> =>
  until(side, text, async () => (await handle.query<string[]>('soFar')).includes(text));

/** A workflow that only has to run: its name, what it is given, and nothing from outside. */
export const runs = (type: string, args: readonly unknown[] = []): Scenario => ({
  name: type,
  play: async (side) => ending(await start(side, type, { args })),
});
