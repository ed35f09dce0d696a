import type { WebhookActivities } from '../../../src/activities/webhook.js';
import { TASK_QUEUES, type WebhookEvent } from '../../../src/contract/index.js';
import type { Kernel } from '../kernel/kernel.js';
import { SimProcess } from '../kernel/process.js';
import type { SimTemporal } from '../temporal/sim-temporal.js';
import type { SimWorker } from '../temporal/worker/sim-worker.js';
import { workerActivities } from './activities.js';
import { Link, type Network } from './network.js';
import { RUNNER_QUEUE, runnerActivities } from './runner.js';
import type { Weather } from './weather.js';

/** Our workers, and another project's. */
export class Fleet {
  workers: SimWorker[] = [];
  links: Link[] = [];
  runners: SimWorker[] = [];
  agentsServed = true;
  /** What the operator's webhook has heard. */
  readonly told: WebhookEvent[] = [];
  /** All are dead for good since then. */
  deadSinceMs: number | undefined;
  private started = 0;

  constructor(
    private readonly kernel: Kernel,
    private readonly temporal: SimTemporal,
    private readonly network: Network,
    private readonly operator: Pick<Weather, 'caps' | 'hasWebhook'>,
  ) {}

  startWorker(): void {
    if (this.deadSinceMs !== undefined) return;
    const process = new SimProcess(this.kernel, `worker-${++this.started}`);
    const link = new Link(process);
    this.links.push(link);
    const client = this.temporal.clientFor(process);
    const { pods, sessions, reaper, runners, agents } = workerActivities(this.network, link, client, this.operator);
    const webhook: WebhookActivities = {
      deliverWebhook: (event) => Promise.resolve(void this.told.push(event)),
    };
    const queues = [
      {
        taskQueue: TASK_QUEUES.control,
        activities: { ...pods, ...sessions, ...reaper, ...runners, ...webhook },
        slots: 50,
        runsWorkflows: true,
      },
      { taskQueue: TASK_QUEUES.poll, activities: { pollPod: pods.pollPod }, slots: 100, runsWorkflows: false },
      ...(this.agentsServed
        ? [{ taskQueue: TASK_QUEUES.agents, activities: { ...agents }, slots: 50, runsWorkflows: false }]
        : []),
    ];
    this.workers.push(this.temporal.addWorker(process.name, queues, process));
  }

  killWorkers(): void {
    for (const worker of this.workers) worker.kill();
    this.workers = [];
    this.links = [];
  }

  killOneWorker(): void {
    const [first, ...others] = this.workers;
    first?.kill();
    this.workers = others;
  }

  /** None is started after that. */
  killForGood(): void {
    this.deadSinceMs ??= this.kernel.nowMs;
    this.killWorkers();
  }

  freezeWorkers(): SimWorker[] {
    for (const worker of this.workers) worker.freeze();
    return this.workers;
  }

  startRunner(): void {
    const process = new SimProcess(this.kernel, `runner-${++this.started}`);
    const activities = runnerActivities(this.network, new Link(process));
    const queue = { taskQueue: RUNNER_QUEUE, activities, slots: 20, runsWorkflows: false };
    this.runners.push(this.temporal.addWorker(process.name, [queue], process));
  }

  killRunners(): void {
    for (const runner of this.runners) runner.kill();
    this.runners = [];
  }

  /** Takes back whatever faults have left. */
  heal(): void {
    for (const link of this.links) Object.assign(link, { api: 'open', gates: 'open' });
    this.agentsServed = true;
    for (const worker of this.workers) {
      worker.thaw();
      worker.cutFromTemporal(false);
      worker.loseHeartbeats(false);
    }
    this.startWorker();
  }
}
