import { waitUntil } from '../support/processes.js';
import { ChaosStack } from './chaos-stack.js';
import { isTerminal } from './failures.js';
import type { PlannedRun } from './plan.js';
import { strikeRun, type Measurement, type StruckRun } from './run.js';

const LEDGER_MS = 30_000;

export interface LanesOptions {
  readonly runs: readonly PlannedRun[];
  /** Stacks side by side. */
  readonly lanes: number;
  readonly onMeasured: (run: PlannedRun, measured: readonly Measurement[]) => void;
  /** A run whose sessions did not come to their phases: nothing has struck yet, and a new stack tries once more. */
  readonly onStagedAgain: (run: PlannedRun, problem: string) => void;
  /** A run that could not be carried out at all. */
  readonly onBroken: (run: PlannedRun, problem: string) => void;
}

/** Carries the runs out on several stacks at once, each of which strikes what is its own. Nothing of them is left afterwards. */
export async function runLanes(options: LanesOptions): Promise<void> {
  const left = [...options.runs];
  await Promise.all(Array.from({ length: Math.min(options.lanes, left.length) }, () => lane(left, options)));
}

async function lane(left: PlannedRun[], { onMeasured, onStagedAgain, onBroken }: LanesOptions): Promise<void> {
  const beside: Promise<void>[] = [];
  let stack: ChaosStack | undefined;
  let measuring = Promise.resolve();
  const measure = async (struck: StruckRun, run: PlannedRun, used: ChaosStack): Promise<void> => {
    try {
      onMeasured(run, await withStrangers(used, await struck.measured));
    } catch (error) {
      onBroken(run, messageOf(error));
    }
  };
  const close = (used: ChaosStack | undefined): void => {
    if (used === undefined) return;
    stack = undefined;
    beside.push(measuring.then(() => used.stop()));
    measuring = Promise.resolve();
  };
  for (let run = left.shift(); run !== undefined; run = left.shift()) {
    try {
      stack ??= await ChaosStack.start();
      // The end of the run before is measured while the sessions of this one come up.
      const struck: StruckRun = await strikeRun(stack, run, measuring).catch(async (error: unknown) => {
        onStagedAgain(run, messageOf(error));
        close(stack);
        stack = await ChaosStack.start();
        return strikeRun(stack, run, measuring);
      });
      measuring = measure(struck, run, stack);
      // Only the pods are waited for, beside the next run on a stack of its own. What cannot come back is told by the measuring.
      const isUsable = struck.restored.then(
        () => !run.failures.some(({ name }) => isTerminal(name)),
        () => false,
      );
      if (!(await isUsable)) close(stack);
    } catch (error) {
      onBroken(run, messageOf(error));
      close(stack);
    }
  }
  close(stack);
  await Promise.all(beside);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Pods of others live on, and there is no pod but theirs and those of the runs' sessions: the ledger says so. */
async function withStrangers(stack: ChaosStack, measured: readonly Measurement[]): Promise<Measurement[]> {
  const ledger = await waitUntil(() => stack.account.ledger(), { timeoutMs: LEDGER_MS, what: 'the ledger is shown' });
  const problems = stack.strangers
    .filter((id) => ledger.find((pod) => pod.id === id)?.terminatedAt !== null)
    .map((id) => `the pod ${id} of somebody else was ended`);
  for (const { id, name } of ledger)
    if (!stack.strangers.includes(id) && !/^devloop\.chaos-[0-9a-f]{8}\.r\d+-[a-z]+\./.test(name))
      problems.push(`the pod ${id}, ${name}, is nobody's`);
  return measured.map((one, at) => (at === 0 ? { ...one, problems: [...one.problems, ...problems] } : one));
}
