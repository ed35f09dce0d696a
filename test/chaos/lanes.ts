import { waitUntil } from '../support/processes.js';
import { ChaosStack } from './chaos-stack.js';
import { isTerminal } from './failures.js';
import type { PlannedRun } from './plan.js';
import { strikeRun, type Measurement } from './run.js';

const LEDGER_MS = 30_000;

export interface LanesOptions {
  readonly runs: readonly PlannedRun[];
  /** Stacks side by side. */
  readonly lanes: number;
  readonly onMeasured: (run: PlannedRun, measured: readonly Measurement[]) => void;
  /** A run that could not be carried out at all. */
  readonly onBroken: (run: PlannedRun, problem: string) => void;
}

/** Carries the runs out on several stacks at once, each of which strikes what is its own. Nothing of them is left afterwards. */
export async function runLanes(options: LanesOptions): Promise<void> {
  const left = [...options.runs];
  await Promise.all(Array.from({ length: Math.min(options.lanes, left.length) }, () => lane(left, options)));
}

async function lane(left: PlannedRun[], { onMeasured, onBroken }: LanesOptions): Promise<void> {
  const closing: Promise<void>[] = [];
  let stack: ChaosStack | undefined;
  const close = (ending: ChaosStack): void => {
    stack = undefined;
    closing.push(ending.stop());
  };
  try {
    for (let run = left.shift(); run !== undefined; run = left.shift()) {
      const current = run;
      try {
        stack ??= await ChaosStack.start();
        const used = stack;
        const struck = await strikeRun(used, current);
        if (current.failures.some(({ name }) => isTerminal(name))) {
          // Only the pods are waited for, beside the next run on a stack of its own.
          stack = undefined;
          const told = struck.measured.then(async (measured) => {
            onMeasured(current, await withStrangers(used, measured));
          });
          closing.push(
            told
              .catch((error: unknown) => {
                onBroken(current, String(error));
              })
              .finally(() => used.stop()),
          );
          continue;
        }
        await struck.restored;
        onMeasured(current, await withStrangers(used, await struck.measured));
      } catch (error) {
        onBroken(current, error instanceof Error ? error.message : String(error));
        if (stack !== undefined) close(stack);
      }
    }
  } finally {
    if (stack !== undefined) close(stack);
    await Promise.all(closing);
  }
}

/** Pods of others live on, and the ledger says so. */
async function withStrangers(stack: ChaosStack, measured: readonly Measurement[]): Promise<Measurement[]> {
  const ledger = await waitUntil(() => stack.account.ledger(), { timeoutMs: LEDGER_MS, what: 'the ledger is shown' });
  const problems = stack.strangers
    .filter((id) => ledger.find((pod) => pod.id === id)?.terminatedAt !== null)
    .map((id) => `the pod ${id} of somebody else was ended`);
  return measured.map((one, at) => (at === 0 ? { ...one, problems: [...one.problems, ...problems] } : one));
}
