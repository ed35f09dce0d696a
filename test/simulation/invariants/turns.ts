import { parsePodName, type PodNameParts } from '../../../src/contract/index.js';
import type { PodNews, PodMachine } from '../world/pod-machine.js';
import type { World } from '../world/world.js';
import type { Excuse } from './rights.js';
import { jobsOf, type JobTruth } from './truth.js';

/** Whoever asked before somebody else by more than this has asked first, however messages travel. */
const BEFORE_MS = 30_000;
/** Two that are granted the pod at once begin within this. */
const BEGINS_WITHIN_MS = 10_000;
/** A job ends at its second lost pod. */
const MOST_LOST_PODS = 2;

/** Who is served, and on what: asked when a pod is declared ready and when somebody begins to work on it. */
export class Turns {
  readonly findings: string[] = [];
  /** The pods on which each job has begun to work. */
  private readonly worked = new Map<string, PodMachine[]>();

  constructor(
    private readonly world: World,
    private readonly isExcused: Excuse,
  ) {
    world.cloud.podWatchers.push((news, machine) => {
      this.note(news, machine);
    });
  }

  private note(news: PodNews, machine: PodMachine): void {
    const { name, askers } = machine;
    const parts = parsePodName(name);
    const asker = askers.at(-1);
    if (!parts) return;
    if (news === 'ready') this.noteReady(machine, parts.session);
    if (news !== 'use-begins' || asker === undefined) return;
    const before = this.worked.get(asker) ?? [];
    if (before.includes(machine)) return;
    this.worked.set(asker, [...before, machine]);
    this.noteLosses(asker, parts.session, before);
    if (before.length === 0) this.noteTurn(asker, machine, parts);
  }

  /** What is declared ready is served. */
  private noteReady({ podId, environment, traits, watchdog }: PodMachine, session: string): void {
    if (environment.RUNPOD_GPU_COUNT === '0') this.findings.push(`pod ${podId} without a GPU was declared ready`);
    if (traits.vramShare < 1) this.findings.push(`pod ${podId} was declared ready with its model beside the GPU`);
    const mayLack = this.world.planned(session)?.input.guard === 'none';
    if (!mayLack && traits.watchdog !== 'runs' && !watchdog.hasRun)
      this.findings.push(`pod ${podId} was declared ready before its switch was armed`);
  }

  private noteLosses(asker: string, session: string, before: readonly PodMachine[]): void {
    // Those that its sessions have ended are none.
    const lost = before.filter(({ isStopped }) => isStopped).length;
    if (lost > MOST_LOST_PODS && !this.isExcused(session, 'turn'))
      this.findings.push(`${asker} works again after it has lost ${lost} pods`);
  }

  /** Somebody who has had no pod of this session begins: who lost one, or has waited for longer, must be served too. */
  private noteTurn(asker: string, machine: PodMachine, pod: PodNameParts): void {
    const waiting = this.waitingBefore(asker, pod);
    if (waiting.length === 0) return;
    this.world.later(BEGINS_WITHIN_MS / 1000, () => {
      const isDisturbed = machine.isGone || this.isExcused(pod.session, 'turn');
      if (isDisturbed || this.world.healedAtMs !== undefined) return;
      const still = this.waitingBefore(asker, pod).filter((one) => waiting.includes(one));
      for (const one of still) this.findings.push(`${asker} was given pod ${machine.podId} before ${one}`);
    });
  }

  private waitingBefore(asker: string, { firstRunId, session }: PodNameParts): string[] {
    const jobs = jobsOf(this.world).filter((job) => job.session === session);
    const its = jobs.find(({ jobId }) => jobId === asker);
    const startedAtMs = this.world.temporal.executions().find((run) => run.runId === firstRunId)?.startedAtMs;
    if (!its || startedAtMs === undefined) return [];
    const isWaiting = (job: JobTruth): boolean => {
      const runner = this.world.plannedJob(session, job.jobId)?.runner;
      if (job === its || job.status !== 'RUNNING' || runner === 'absent' || runner === 'forbidden') return false;
      const left = this.worked.get(job.jobId)?.at(-1);
      if (left === undefined) return job.startedAtMs > startedAtMs && job.startedAtMs < its.startedAtMs - BEFORE_MS;
      return left.isGone && parsePodName(left.name)?.firstRunId === firstRunId;
    };
    return jobs.filter(isWaiting).map(({ jobId }) => jobId);
  }
}
