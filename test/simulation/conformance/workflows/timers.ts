import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';

export const word = defineSignal<[string]>('word');
export const soFar = defineQuery<string[]>('soFar');

/** What the main flow does while words come in. */
function listen(): string[] {
  const trace: string[] = [];
  setHandler(word, (text) => void trace.push(text));
  return trace;
}

export async function timersInOrder(): Promise<string[]> {
  const trace: string[] = [];
  const after = async (ms: number): Promise<void> => {
    await sleep(ms);
    trace.push(String(ms));
  };
  await Promise.all([after(900), after(100), after(500)]);
  return trace;
}

export async function conditions(): Promise<string[]> {
  const trace = listen();
  setHandler(soFar, () => trace);
  trace.push(`never: ${await condition(() => false, 50)}`);
  trace.push(`already: ${await condition(() => true, 5000)}`);
  trace.push(`word: ${await condition(() => trace.includes('first'), 20_000)}`);
  await condition(() => trace.includes('second'));
  trace.push('second seen');
  trace.push(`zero: ${await condition(() => false, 0)}`);
  return trace;
}

export async function cancelledInSameTask(): Promise<string[]> {
  const trace: string[] = [];
  const scope = new CancellationScope();
  const sleeping = scope
    .run(() => sleep(60_000))
    .catch((error: unknown) => void trace.push(`cancelled: ${isCancellation(error)}`));
  scope.cancel();
  await sleeping;
  await scope.run(() => sleep(60_000)).catch(() => void trace.push('a cancelled scope starts nothing'));
  trace.push('end');
  return trace;
}

export async function cancelledLater(): Promise<string[]> {
  const trace = listen();
  const scope = new CancellationScope();
  const sleeping = scope.run(() => sleep(60_000)).catch(() => void trace.push('timer cancelled'));
  await condition(() => trace.includes('cancel'));
  scope.cancel();
  trace.push('after cancel');
  await sleeping;
  return trace;
}

export async function scopesWithTimeout(): Promise<string[]> {
  const trace: string[] = [];
  await CancellationScope.withTimeout(100, () => sleep(60_000)).catch((error: unknown) => {
    trace.push(`out of time: ${isCancellation(error)} ${String((error as Error).message)}`);
  });
  await CancellationScope.withTimeout(60_000, () => sleep(50));
  trace.push('in time');
  return trace;
}

/** Time stands still within a task, and later tasks are later. */
export async function clock(): Promise<string[]> {
  const atMs = Date.now();
  const trace: string[] = [];
  for (let turn = 0; turn < 3; turn++) await Promise.resolve();
  trace.push(`same task: ${Date.now() === atMs} ${new Date().getTime() === atMs}`);
  await sleep(120);
  trace.push(`after timer: ${Date.now() - atMs >= 120}`);
  trace.push(`${workflowInfo().workflowType} ${workflowInfo().historyLength > 3}`);
  return trace;
}
