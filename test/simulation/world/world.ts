import {
  jobIdOf,
  REAPER_SCHEDULE_ID,
  sessionNameOf,
  sessionWorkflowId,
  TASK_QUEUES,
  WORKFLOW_TYPES,
} from '../../../src/contract/index.js';
import { REAPER_EVERY_MS } from '../../../src/reaper-schedule.js';
import * as workflows from '../../../src/workflows/index.js';
import { payloadConverter } from '../../../src/workflows/payload-converter.js';
import type { Kernel } from '../kernel/kernel.js';
import { SimProcess } from '../kernel/process.js';
import type { Phase } from '../phases.js';
import { SimTemporal } from '../temporal/sim-temporal.js';
import { Cloud } from './cloud.js';
import { Cron } from './cron.js';
import { Fleet } from './fleet.js';
import { Link, Network } from './network.js';
import { planSession, type PlannedJob, type PlannedSession, type Wanted } from './plan.js';
import type { PodMachine } from './pod-machine.js';
import { SOUND, type PodTraits } from './pod-traits.js';
import { Users } from './users.js';
import { weatherOver, type Weather } from './weather.js';

/** Of a session that asks for nothing else. */
const DEFAULT_DRAIN_SECONDS = 60;
export const DEFAULT_BUDGET_USD = 5;
/** So long a pod serves where none lasts. */
const FRAIL_SECONDS = 30;

/** Everything that one seed's story plays in. */
export class World {
  readonly cloud: Cloud;
  readonly network: Network;
  readonly temporal: SimTemporal;
  readonly users: Users;
  readonly cron: Cron;
  readonly weather: Weather;
  readonly fleet: Fleet;
  /** Asked just before what the faults left is taken away. */
  readonly beforeHeal: (() => void)[] = [];
  /** How pods come into the world while a fault lasts. */
  readonly oddities: { readonly session: string; readonly traits: () => Partial<PodTraits> }[] = [];
  /** RunPod's list has left something out: what it did not show may rightly be asked for again. */
  listsLie = false;
  /** When all that faults had left was taken away. */
  healedAtMs: number | undefined;
  /** In events: in minutes of story; a server ends what has some 50,000, and days are longer than stories. */
  longestHistory = 1_500;
  /** Called when something happened by which a session's phase may have changed. */
  onChange: (session: string) => void = () => undefined;
  private readonly phases = new Map<string, string>();

  constructor(
    readonly kernel: Kernel,
    readonly sessions: readonly PlannedSession[],
    weather: (kernel: Kernel, cloud: Cloud) => Weather = weatherOver,
  ) {
    this.cloud = new Cloud(kernel);
    this.cloud.bootSeconds = () => 1.5 + kernel.random() * 7;
    this.cloud.traitsOf = (podName) => this.traitsOf(podName.split('.')[2]);
    this.weather = weather(kernel, this.cloud);
    this.network = new Network(kernel, { api: this.cloud.api, gates: this.cloud.proxy });
    this.temporal = new SimTemporal({
      kernel,
      workflows: { ...workflows },
      payloadConverter,
      continueAsNewEvents: this.weather.continueAsNewEvents,
    });
    this.temporal.onAttribute = (workflowId, name, phase) => {
      const session = sessionNameOf(workflowId);
      if (session === undefined || name !== 'DevloopPhase') return;
      this.phases.set(session, String(phase));
      this.onChange(session);
    };
    this.cloud.podWatchers.push((news, machine) => {
      const session = machine.name.split('.')[2];
      if (session !== undefined) this.onChange(session);
      if (news === 'ready' && this.weather.isFrail)
        this.later(FRAIL_SECONDS * (0.5 + kernel.random()), () => {
          this.cloud.act(machine.podId, 'stop');
        });
    });
    this.fleet = new Fleet(kernel, this.temporal, this.network, this.weather);
    const process = new SimProcess(kernel, 'users');
    const client = this.temporal.clientFor(process);
    this.users = new Users(kernel, process, client, this.network, new Link(process));
    this.cron = new Cron(kernel, this.network, this.weather.cronSkewSeconds);
    this.temporal.schedule({
      scheduleId: REAPER_SCHEDULE_ID,
      workflowType: WORKFLOW_TYPES.podReaper,
      taskQueue: TASK_QUEUES.control,
      everyMs: REAPER_EVERY_MS,
      offsetMs: Math.floor(kernel.random() * REAPER_EVERY_MS),
      catchUpMs: 60_000,
      runTimeoutMs: 180_000,
    });
  }

  /** Sets everybody going. */
  begin(): void {
    this.fleet.startWorker();
    this.fleet.startRunner();
    this.cron.begin();
    for (const session of this.sessions) {
      const { name, input, starts, jobs, holders, stopAt } = session;
      if (session.isSoldOut) this.sellOut(name, input.gpus?.[0] ?? '');
      for (const at of starts) this.later(at, () => void this.users.startSession(input));
      for (const job of jobs) this.later(job.at, () => void this.users.submit(input, job));
      for (const holder of holders) this.later(holder.at, () => void this.users.hold(name, holder));
      if (session.stopsInUse) this.stopInUse(name);
      if (stopAt !== undefined) this.later(stopAt, () => void this.users.stop(name));
    }
  }

  /** RunPod has none of the GPUs that the session likes best. */
  private sellOut(session: string, gpu: string): void {
    this.cloud.fault({ kind: 'no-capacity', gpu, times: 1_000_000, match: { podName: `.${session}.` } });
  }

  /** Asks for the end soon after the first job has begun to work. */
  private stopInUse(session: string): void {
    const { onChange } = this;
    let asked = false;
    this.onChange = (changed) => {
      onChange(changed);
      if (asked || changed !== session || this.phaseOf(session) !== 'serve') return;
      asked = true;
      this.later(1 + 3 * this.kernel.random(), () => void this.users.stop(session));
    };
  }

  later(seconds: number, act: () => void): void {
    this.kernel.at(this.kernel.nowMs + seconds * 1000, act);
  }

  /** Workers and Temporal, for good: what is left is the pod, and a cron elsewhere. */
  killEverything(): void {
    this.fleet.killForGood();
    this.temporal.setReachable(false);
  }

  /** Takes back whatever faults have left. */
  heal(): void {
    for (const ask of this.beforeHeal) ask();
    this.healedAtMs ??= this.kernel.nowMs;
    this.cloud.clearFaults();
    this.oddities.length = 0;
    if (this.deadSinceMs !== undefined) return;
    this.temporal.setReachable(true);
    this.temporal.trouble.describing = 'answered';
    this.temporal.trouble.broken.clear();
    this.fleet.heal();
  }

  /** Of the pods of that session. */
  private traitsOf(session: string | undefined): PodTraits {
    const odd = this.oddities.flatMap((its) => (its.session === session ? [its.traits()] : []));
    const traits = odd.reduce<PodTraits>((all, one) => ({ ...all, ...one }), SOUND);
    return this.planned(session)?.input.guard === 'none' ? { ...traits, watchdog: 'none' } : traits;
  }

  /** What was planned for the session of that name. */
  planned(session: string | undefined): PlannedSession | undefined {
    return this.sessions.find(({ name }) => name === session);
  }

  /** All of ours are dead for good since then. */
  get deadSinceMs(): number | undefined {
    return this.fleet.deadSinceMs;
  }

  drainMsOf(session: string): number {
    return (this.planned(session)?.input.drainSeconds ?? DEFAULT_DRAIN_SECONDS) * 1000;
  }

  /** US dollars: what the session asks for, within the operator's cap. */
  budgetUsdOf(session: string): number {
    const { maxCostUsd = DEFAULT_BUDGET_USD } = this.planned(session)?.input ?? {};
    return Math.min(maxCostUsd, this.weather.caps.maxCostUsd ?? Infinity);
  }

  /** Undefined for what chance has sent. */
  plannedJob(session: string | undefined, jobId: string): PlannedJob | undefined {
    return this.planned(session)?.jobs.find((job) => job.jobId === jobId);
  }

  /** What the session is doing; undefined before its start and after its end. */
  phaseOf(session: string): Phase | undefined {
    switch (this.phases.get(session)) {
      case 'creating':
        return 'create';
      case 'booting':
        return 'boot';
      case 'ready':
        return (this.machineOf(session)?.inFlight ?? 0) > 0 ? 'serve' : 'idle';
      case 'draining':
        return 'drain';
      case 'stopping':
      case 'stuck':
        return 'stop';
      default:
        return undefined;
    }
  }

  /** The newest machine of the session's living pods. */
  machineOf(session: string): PodMachine | undefined {
    const pod = this.cloud.alive.filter(({ name }) => name.split('.')[2] === session).at(-1);
    return pod && this.cloud.machines.get(pod.id);
  }

  openJobOf(session: string): string | undefined {
    return this.openJobsOf(session)[0]?.jobId;
  }

  /** A runner works for the session, or is about to. */
  hasRunnerJob(session: string): boolean {
    return this.openJobsOf(session).some(({ runner }) => runner === 'served');
  }

  private openJobsOf(session: string): PlannedJob[] {
    const jobs = this.planned(session)?.jobs ?? [];
    return this.temporal.executions().flatMap(({ workflowId, status }) => {
      const jobId = status === 'RUNNING' ? jobIdOf(workflowId) : undefined;
      return jobs.filter((job) => job.jobId === jobId);
    });
  }

  /** @param toFraction of its tasks that are kept, in [0, 1) */
  reset(session: string, toFraction = this.kernel.random()): void {
    this.users.terminations = this.users.terminations.filter((one) => one.session !== session);
    this.temporal.reset(sessionWorkflowId(session), toFraction);
  }

  /** The workers' code cannot go on with this session. */
  breakSession(session: string): void {
    this.temporal.trouble.broken.add(sessionWorkflowId(session));
  }

  mendSession(session: string): void {
    this.temporal.trouble.broken.delete(sessionWorkflowId(session));
  }

  /** Somebody else starts the session of that name, and a job for it comes in the same moment. */
  startAgain(session: string): void {
    const planned = this.planned(session);
    if (!planned) return;
    void this.users.startSession(planned.input);
    void this.users.submit(planned.input, { jobId: `${session}-raced`, at: 0, runs: 3, timeout: 600 });
  }
}

/** One to three sessions, with what people do to them. */
export function planSessions(kernel: Kernel, wanted: readonly Wanted[]): PlannedSession[] {
  return wanted.map((its, i) => planSession(kernel, `s${i}`, its));
}
