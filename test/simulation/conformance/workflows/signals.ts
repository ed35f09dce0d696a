import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineSignal,
  patched,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import { activitiesWith } from './proxies.js';
import { soFar, word } from './timers.js';

const { echo } = activitiesWith({});
export const finish = defineSignal('finish');

/** Tells every word until it is told to finish. */
export async function listener(): Promise<string[]> {
  const trace: string[] = [];
  let isFinished = false;
  setHandler(word, (text) => void trace.push(text));
  setHandler(finish, () => {
    isFinished = true;
  });
  setHandler(soFar, () => trace);
  trace.push('started');
  await condition(() => isFinished);
  return trace;
}

export async function lateHandler(): Promise<string[]> {
  const trace = ['before'];
  await sleep(1500);
  setHandler(word, (text) => void trace.push(text));
  trace.push('handler set');
  await sleep(10);
  return trace;
}

export async function asyncHandlers(): Promise<unknown> {
  const trace: string[] = [];
  let count = 0;
  setHandler(word, async (text) => {
    count += 1;
    await echo(text);
    await sleep(10);
    trace.push(text);
  });
  await condition(() => count === 3);
  const unfinished = !allHandlersFinished();
  await condition(allHandlersFinished);
  return { unfinished, trace: trace.sort() };
}

export async function failingHandler(): Promise<void> {
  setHandler(word, (text) => {
    throw ApplicationFailure.nonRetryable(`no ${text}`, 'Refused', text);
  });
  await sleep(60_000);
}

/** Ends while words may still come: none that was taken may be missing. */
export async function countUntilEnd(): Promise<number> {
  let count = 0;
  setHandler(word, () => {
    count += 1;
  });
  await condition(() => count >= 5);
  for (let turn = 0; turn < 3; turn++) await echo('a task more');
  return count;
}

/** Continues as new after every second word; counts over all runs. */
export async function countOverRuns(counted: string[] = [], runs = 1, firstRunId?: string): Promise<unknown> {
  const mine = [...counted];
  const first = firstRunId ?? workflowInfo().runId;
  let isFinished = false;
  setHandler(word, (text) => void mine.push(text));
  setHandler(finish, () => {
    isFinished = true;
  });
  await condition(() => isFinished || mine.length >= counted.length + 2);
  if (!isFinished) await continueAsNew<typeof countOverRuns>(mine, runs + 1, first);
  return { words: mine.sort(), moreThanOne: runs > 1, sameChain: workflowInfo().firstExecutionRunId === first };
}

const phase = defineSearchAttributeKey('DevloopPhase', 'KEYWORD');
const project = defineSearchAttributeKey('DevloopProject', 'KEYWORD');

export async function attributes(run = 1): Promise<unknown> {
  const seen = {
    phase: workflowInfo().typedSearchAttributes.get(phase),
    project: workflowInfo().typedSearchAttributes.get(project),
    memo: workflowInfo().memo,
  };
  if (run === 2) return seen;
  let isFinished = false;
  setHandler(finish, () => {
    isFinished = true;
  });
  upsertSearchAttributes([
    { key: phase, value: 'ready' },
    { key: project, value: null },
  ]);
  upsertMemo({ added: { deep: [1, 2] }, removed: null });
  await condition(() => isFinished);
  await continueAsNew<typeof attributes>(2);
  return undefined;
}

export async function patches(): Promise<string[]> {
  const trace = [`first: ${patched('first-change')}`];
  await sleep(10);
  trace.push(`again: ${patched('first-change')}`);
  await sleep(10);
  trace.push(`second: ${patched('second-change')}`, `first: ${patched('first-change')}`);
  await echo('x');
  return trace;
}
