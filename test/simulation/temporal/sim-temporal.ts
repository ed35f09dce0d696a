import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';
import type { Kernel } from '../kernel/kernel.js';
import type { SimProcess } from '../kernel/process.js';
import { Network } from './network.js';
import type { WorkflowFunction } from './runtime/instance.js';
import { fromPayload, toError, workflowPayloads } from './runtime/payloads.js';
import { runSchedule, type ScheduleOptions } from './schedule.js';
import { Chains, type SignalTrouble } from './server/chains.js';
import { resetRun } from './server/reset.js';
import type { Run, RunStatus } from './server/run.js';
import { ServerClock } from './server/server-clock.js';
import type { Server, ServerSettings, ServerTrouble } from './server/server.js';
import { TaskQueues } from './server/task-queues.js';
import { WorkflowTasks } from './server/workflow-tasks.js';
import { simClient } from './sim-client.js';
import { SimWorker, type WorkerQueue } from './worker/sim-worker.js';

export interface SimTemporalOptions extends Partial<Omit<ServerSettings, 'timerLatenessMs'>> {
  readonly kernel: Kernel;
  /** Workflow functions by type: the module that a worker would bundle. */
  readonly workflows: object;
  /** What a worker is configured with (`payloadConverterPath`). */
  readonly payloadConverter?: PayloadConverter;
  /** `stock`: short timers take up to a second more. `quick`: as with `history.timerProcessorMaxTimeShift=1ms`. */
  readonly timers?: 'stock' | 'quick';
}

export interface Execution {
  readonly workflowId: string;
  readonly runId: string;
  readonly firstRunId: string;
  readonly type: string;
  readonly status: RunStatus;
  readonly input: readonly unknown[];
  /** Once completed. */
  readonly result: unknown;
  /** Once failed. */
  readonly failure: Error | undefined;
  readonly startedAtMs: number;
  readonly closedAtMs: number | undefined;
  readonly historyLength: number;
}

const SHORT_TIMER_MS = 1000;
const EVICTION_PROBABILITY = 0.03;
/** Of a stock server. */
const CONTINUE_AS_NEW_EVENTS = 4096;

/**
 * Temporal in virtual time: server, network, workers and clients of one world, all of its luck from the world's seed.
 *
 * The workflow side is the SDK's own runtime without its sandbox; what stands in is what surrounds it. Modelled: histories
 * as tasks that are fed to an instance again whenever it was lost (and the commands compared); tasks lost, timed out,
 * failed, and refused where something arrived that a closing workflow has not seen; the sticky queue's delay; at-least-once
 * activities with all four timeouts, retries, throttled heartbeats, zombies; timers that are late but never early; signals,
 * updates with validators, queries, cancel, terminate, reset, continue-as-new, children, external signals that are lost with
 * their sender's end; id policies; a Schedule that skips overlaps. Broken at will: the server away, a worker killed, frozen,
 * cut off, its heartbeats lost, signals late or twice, descriptions refused, a workflow's code broken.
 *
 * Not modelled: local activities, Nexus, cron, workflow retry policies, worker versioning, visibility, the limits on sizes
 * and counts (but for the suggestion to continue as new), `getClient()` in activities, polling and rate limits.
 */
export class SimTemporal {
  private readonly server: Server;
  /** What must never happen: code that does not replay, workflow tasks that fail. */
  readonly findings: string[] = [];
  /** Changed while the world goes on. */
  readonly trouble: ServerTrouble = { describing: 'answered', broken: new Set() };
  /** Told of each search attribute that a workflow has set, when the server has taken it. */
  onAttribute: (workflowId: string, name: string, value: unknown) => void = () => undefined;

  constructor({
    kernel,
    workflows,
    payloadConverter = defaultPayloadConverter,
    timers = 'stock',
    evictionProbability = EVICTION_PROBABILITY,
    continueAsNewEvents = CONTINUE_AS_NEW_EVENTS,
  }: SimTemporalOptions) {
    if (!('AsyncLocalStorage' in globalThis)) throw new Error('run node with --import temporal/register.js');
    const clock = new ServerClock(kernel);
    const timerLatenessMs = (durationMs: number): number =>
      kernel.random() * (timers === 'stock' && durationMs < SHORT_TIMER_MS ? SHORT_TIMER_MS : 20);
    const server: Omit<Server, 'chains' | 'tasks'> & { chains?: Chains; tasks?: WorkflowTasks } = {
      kernel,
      clock,
      network: new Network(clock),
      queues: new TaskQueues(clock),
      workflows: workflows as Readonly<Record<string, WorkflowFunction>>,
      payloads: workflowPayloads(payloadConverter),
      settings: { timerLatenessMs, evictionProbability, continueAsNewEvents },
      findings: this.findings,
      trouble: this.trouble,
      onAttribute: (...facts) => {
        this.onAttribute(...facts);
      },
    };
    server.chains = new Chains(server as Server);
    server.tasks = new WorkflowTasks(server as Server);
    this.server = server as Server;
  }

  /** @param process where the worker shares one with others; it gets its own else */
  addWorker(name: string, queues: readonly WorkerQueue[], process?: SimProcess): SimWorker {
    const worker = new SimWorker(this.server, name, queues, process);
    this.server.queues.addWorker(worker);
    return worker;
  }

  clientFor(process: SimProcess): Client {
    return simClient(this.server, process);
  }

  /** Nobody reaches the server, and all that it does by itself waits. */
  setReachable(reachable: boolean): void {
    this.server.clock.setUp(reachable);
    if (reachable) this.server.queues.pumpAll();
  }

  /** A process that is no worker loses its way to the server. */
  cut(process: SimProcess, isCut: boolean): void {
    this.server.network.setCut(process, isCut);
  }

  setSignalTrouble(trouble: SignalTrouble): void {
    this.server.chains.trouble = trouble;
  }

  /**
   * Takes a workflow's current run back.
   * @param toFraction of its tasks that are kept, in [0, 1)
   * @returns whether there was anything to take back
   */
  reset(workflowId: string, toFraction: number): boolean {
    const run = this.server.chains.current(workflowId);
    if (!run || run.history.length === 0 || !this.server.clock.isUp) return false;
    resetRun(this.server, run, Math.floor(toFraction * run.history.length));
    return true;
  }

  /** As `reset`, to before the task of that number, from 0. */
  resetToTask(workflowId: string, task: number): void {
    const run = this.server.chains.current(workflowId);
    if (run) resetRun(this.server, run, Math.min(task, run.history.length - 1));
  }

  schedule(options: ScheduleOptions): void {
    runSchedule(this.server, options);
  }

  executions(): Execution[] {
    return this.server.chains.all().map(executionOf);
  }
}

function executionOf(run: Run): Execution {
  const { info, outcome } = run;
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    firstRunId: info.firstRunId,
    type: info.workflowType,
    status: run.status,
    get input() {
      return info.args.map(fromPayload);
    },
    get result() {
      return fromPayload(outcome.result);
    },
    get failure() {
      return outcome.failure && toError(outcome.failure);
    },
    startedAtMs: info.startedAtMs,
    closedAtMs: run.closedAtMs,
    historyLength: run.historyLength,
  };
}
