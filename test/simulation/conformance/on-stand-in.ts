import { Kernel } from '../kernel/kernel.js';
import { SimProcess } from '../kernel/process.js';
import { installGlobals } from '../temporal/runtime/globals.js';
import { SimTemporal } from '../temporal/sim-temporal.js';
import { createActivities } from './activities.js';
import { scenarios } from './scenarios.js';
import type { Scenario, Side } from './side.js';
import { shown } from './trace.js';
import * as workflows from './workflows.js';

const TASK_QUEUE = 'conformance';
const MAX_VIRTUAL_MS = 300_000;
/** Half of all tasks find that their worker has forgotten the run: code that does not replay shows at once. */
const EVICTION_PROBABILITY = 0.5;

export interface StandInOutcome {
  readonly seed: number;
  readonly outcome: unknown;
  readonly findings: readonly string[];
}

/** Plays one scenario in a world of its own. */
export async function playOnStandIn(scenario: Scenario, seed: number): Promise<StandInOutcome> {
  const kernel = new Kernel(seed);
  const uninstall = installGlobals(kernel);
  try {
    const temporal = new SimTemporal({
      kernel,
      workflows,
      timers: 'quick',
      evictionProbability: EVICTION_PROBABILITY,
    });
    let outcome: unknown = 'never ended';
    let isOver = false;
    void scenario
      .play(sideOf(kernel, temporal))
      .catch((error: unknown) => ({ scenarioFailed: shown(error) }))
      .then((end) => {
        outcome = end;
        isOver = true;
      });
    await kernel.run(kernel.nowMs + MAX_VIRTUAL_MS, () => isOver);
    return { seed, outcome, findings: temporal.findings };
  } finally {
    uninstall();
  }
}

function sideOf(kernel: Kernel, temporal: SimTemporal): Side {
  const client = new SimProcess(kernel, 'client');
  let workers = 0;
  const addWorker = (taskQueue: string): ReturnType<SimTemporal['addWorker']> => {
    workers += 1;
    const process = new SimProcess(kernel, `worker-${workers}`);
    const activities = createActivities((ms, signal) => process.sleep(ms, signal));
    return temporal.addWorker(process.name, [{ taskQueue, activities, slots: 100, runsWorkflows: true }], process);
  };
  addWorker(TASK_QUEUE);
  return {
    client: temporal.clientFor(client),
    taskQueue: TASK_QUEUE,
    quietQueue: 'quiet',
    prefix: 'scenario',
    sleep: (ms) => client.sleep(ms),
    startWorker: async () => {
      const worker = addWorker('quiet');
      return {
        stop: async () => {
          worker.kill();
        },
      };
    },
    reset: async (workflowId, task) => {
      temporal.resetToTask(workflowId, task);
    },
  };
}

const [seeds = '1', ...names] = process.argv.slice(2);
const chosen = scenarios.filter(({ name }) => names.length === 0 || names.includes(name));
const played: Record<string, StandInOutcome[]> = {};
for (const scenario of chosen) {
  const outcomes: StandInOutcome[] = [];
  for (let seed = 1; seed <= Number(seeds); seed++) outcomes.push(await playOnStandIn(scenario, seed));
  played[scenario.name] = outcomes;
}
process.stdout.write(JSON.stringify(played));
