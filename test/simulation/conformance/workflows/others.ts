import type { ParentClosePolicy } from '@temporalio/workflow';
import {
  ApplicationFailure,
  condition,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  setHandler,
  sleep,
  startChild,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { shown } from '../trace.js';
import { activitiesWith } from './proxies.js';
import { finish } from './signals.js';
import { soFar, word } from './timers.js';

const { echo } = activitiesWith({});

export async function signalsLast(target: string): Promise<void> {
  void getExternalWorkflowHandle(target).signal(word, 'last act');
}

export async function signalsAndWaits(target: string): Promise<unknown> {
  try {
    await getExternalWorkflowHandle(target).signal(word, 'awaited');
    return 'sent';
  } catch (error) {
    return shown(error);
  }
}

export async function cancelsOther(target: string): Promise<unknown> {
  try {
    await getExternalWorkflowHandle(target).cancel();
    return 'asked';
  } catch (error) {
    return shown(error);
  }
}

export async function startsChild(workflowId: string, policy: ParentClosePolicy): Promise<string> {
  await startChild('waitsForFinish', { workflowId, parentClosePolicy: policy });
  return 'parent done';
}

export async function childOutcomes(prefix: string): Promise<unknown[]> {
  const run = (name: string, args: unknown[] = []): Promise<unknown> =>
    executeChild(name, { workflowId: `${prefix}/${name}`, args }).catch(shown);
  const twice = await startChild('listener', { workflowId: `${prefix}/twice` });
  const again = await startChild('listener', { workflowId: `${prefix}/twice` }).catch(
    (error: unknown) => error instanceof WorkflowExecutionAlreadyStartedError && error.workflowType,
  );
  await twice.signal(finish);
  return [await run('retriesUntilOk'), await run('failsWithDetails'), again, (await twice.result()) as unknown];
}

export async function failsWithDetails(): Promise<void> {
  const cause = ApplicationFailure.nonRetryable('beneath', 'Cause');
  throw ApplicationFailure.create({ message: 'told', type: 'Told', details: [{ a: 1 }], nonRetryable: true, cause });
}

export async function returnsNothing(): Promise<void> {
  await Promise.resolve();
}

export async function sleepsLong(): Promise<void> {
  await sleep(60_000);
}

export const change = defineUpdate<string, [string]>('change');

export async function updatable(): Promise<string[]> {
  const trace: string[] = [];
  let isFinished = false;
  setHandler(soFar, () => trace);
  setHandler(
    change,
    async (text) => {
      trace.push(`begin ${text}`);
      if (text === 'fail') throw ApplicationFailure.nonRetryable('after acceptance', 'Late');
      if (text === 'forever') await condition(() => false);
      if (text === 'slow') await echo(text);
      trace.push(`end ${text}`);
      return text.toUpperCase();
    },
    {
      validator: (text) => {
        if (text === '') throw ApplicationFailure.nonRetryable('empty', 'Invalid', 'detail');
        if (text === 'plain') throw new Error('plain refusal');
      },
    },
  );
  setHandler(finish, () => {
    isFinished = true;
  });
  await condition(() => isFinished);
  return trace;
}

/** For resets: words, a timer, an activity, and how it all came together. */
export async function stages(): Promise<string[]> {
  const trace: string[] = [];
  setHandler(word, (text) => void trace.push(text));
  setHandler(soFar, () => trace);
  await condition(() => trace.includes('one'));
  const timer = sleep(400).then(() => trace.push('timer'));
  const activity = echo('activity').then((text) => trace.push(String(text)));
  await Promise.all([timer, activity]);
  await condition(() => trace.includes('two'));
  await echo('last');
  return trace.sort();
}
