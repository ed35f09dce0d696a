import type { ActivityCancellationType } from '@temporalio/workflow';
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import { shown } from '../trace.js';
import { finish } from './signals.js';
import { activitiesWith } from './proxies.js';

const { echo } = activitiesWith({});

export async function cleansUp(): Promise<void> {
  try {
    await sleep(60_000);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => echo('cleanup'));
    throw error;
  }
}

export async function swallowsCancel(): Promise<string> {
  await sleep(60_000).catch(() => undefined);
  return 'went on';
}

export async function failsOnCancel(): Promise<void> {
  await sleep(60_000).catch(() => {
    throw ApplicationFailure.nonRetryable('failed instead', 'Instead');
  });
}

/** As a session takes it: a request beside work that goes on. */
export async function cancelIsARequest(): Promise<string[]> {
  const trace: string[] = [];
  let isAsked = false;
  CancellationScope.current().cancelRequested.catch(() => {
    isAsked = true;
    trace.push('asked');
  });
  await CancellationScope.nonCancellable(async () => {
    await condition(() => isAsked);
    trace.push(String(await echo('still works')));
    await CancellationScope.cancellable(() => sleep(20));
    trace.push('inner scope too');
  });
  await sleep(20).catch(() => trace.push('outside it is cancelled'));
  return trace;
}

export async function throwsCancelled(): Promise<void> {
  await sleep(60_000).catch(() => undefined);
  throw new CancelledFailure('of its own accord');
}

export type Activity = 'obedient' | 'stubborn' | 'failsWhenCancelled' | 'deaf';

/** Cancels an activity and tells what became of it. */
export async function cancelsActivity(
  name: Activity,
  cancellationType: ActivityCancellationType,
  taskQueue?: string,
): Promise<unknown[]> {
  const trace: unknown[] = [];
  const calls = activitiesWith({
    cancellationType,
    heartbeatTimeout: '5 seconds',
    ...(taskQueue === undefined ? {} : { taskQueue }),
  });
  const scope = new CancellationScope();
  const running = scope
    .run(() => (name === 'deaf' ? calls.deaf(2500) : calls[name]()))
    .then(
      (result) => trace.push({ result }),
      (error: unknown) => trace.push(shown(error)),
    );
  await sleep(700);
  scope.cancel();
  trace.push('cancel asked');
  await running;
  return trace;
}

export async function cancelsActivityInSameTask(): Promise<unknown> {
  const scope = new CancellationScope();
  const running = scope.run(() => echo('never'));
  scope.cancel();
  return running.catch(shown);
}

export async function waitsForFinish(): Promise<string> {
  let isFinished = false;
  setHandler(finish, () => {
    isFinished = true;
  });
  await condition(() => isFinished);
  return 'finished';
}
