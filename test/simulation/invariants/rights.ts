import { jobWorkflowId, parsePodName } from '../../../src/contract/index.js';
import type { Claim } from '../faults/fault.js';
import type { PodMachine } from '../world/pod-machine.js';
import type { World } from '../world/world.js';
import { jobsOf, type CreatedWith } from './truth.js';

/** The end of a session's life comes by our timers, which are late at times. */
const NEAR_MS = 5_000;
/** The holder's last confirmation may be older by this: it asks every ten seconds. */
const CONFIRMED_WITHIN_MS = 25_000;
/** Our clock and the gate's notice of a use differ by a message's way. */
const CLOCKS_MS = 2_000;
/** With a heartbeat, an agent or a runner hears that its job has ended. */
const HEARD_WITHIN_MS = 10_000;
/** A job has asked its session by then. */
const ASKS_WITHIN_MS = 15_000;

/** Whether something has struck that may cost the session's people what they claim. */
export type Excuse = (session: string, claim: Claim) => boolean;

/** What nobody may take from those who use a session: asked at every DELETE, and at every use of a pod. */
export class Rights {
  readonly findings: string[] = [];
  /** Pods whose end was asked for: what comes after that finds no pod. */
  private readonly asked = new Set<string>();

  constructor(
    private readonly world: World,
    private readonly created: CreatedWith,
    private readonly isExcused: Excuse,
  ) {
    const { cloud } = world;
    cloud.beforeEnd = (podId) => {
      this.lookAtEnd(podId);
    };
    cloud.callWatchers.push(({ isCreate, body }) => {
      if (isCreate) this.lookAtCreate(body ?? '{}');
    });
    cloud.podWatchers.push((news, machine) => {
      if (news === 'use-begins') this.lookAtUse(machine);
    });
  }

  /** That a gate refuses our token is a message to people: another pod would refuse it too. */
  private lookAtCreate(body: string): void {
    const parts = parsePodName((JSON.parse(body) as { name: string }).name);
    if (!parts || this.isExcused(parts.session, 'again')) return;
    for (const { name, podId, refused, readyAtMs } of this.world.cloud.machines.values()) {
      const isSame = parsePodName(name)?.firstRunId === parts.firstRunId;
      if (isSame && refused > 0 && readyAtMs === undefined)
        this.findings.push(`another pod was asked for although pod ${podId} only refuses our token`);
    }
  }

  /** Somebody with the account's key ends a pod of ours that lives. */
  private lookAtEnd(podId: string): void {
    const { cloud, kernel } = this.world;
    const pod = cloud.alive.find(({ id }) => id === podId);
    const env = this.created.get(podId);
    const parts = pod && parsePodName(pod.name);
    if (!parts || !env) return;
    const isFirst = !this.asked.has(podId);
    this.asked.add(podId);
    const leftMs = parts.hardDeadlineSeconds * 1000 - kernel.nowMs;
    if (leftMs < NEAR_MS) return;
    const wrong =
      this.wrongOf(podId, parts.session, env, leftMs) ??
      (isFirst ? this.waitedFor(podId, parts.session, leftMs) : undefined);
    if (wrong !== undefined) this.findings.push(`pod ${podId} (${pod.name}) was ended ${wrong}`);
  }

  private wrongOf(
    podId: string,
    session: string,
    env: Readonly<Record<string, string>>,
    leftMs: number,
  ): string | undefined {
    const { cloud, kernel, users } = this.world;
    const machine = cloud.machines.get(podId);
    const planned = this.world.planned(session);
    const drainMs = this.world.drainMsOf(session);
    if (machine?.readyAtMs === undefined) {
      const isEarly = kernel.nowMs < Number(env.DEVLOOP_READY_BY) * 1000 - NEAR_MS && leftMs > drainMs + NEAR_MS;
      return isEarly && !this.isExcused(session, 'boot') ? 'while it booted' : undefined;
    }
    if (this.isExcused(session, 'use')) return undefined;
    // That it was ready may be what the session has not heard.
    const isUnused = machine.askers.length + machine.answeredAtMs.size === 0;
    if (isUnused && this.isExcused(session, 'boot')) return undefined;
    if (planned?.holders.length !== 0 && this.isExcused(session, 'lease')) return undefined;
    const idleMs = Number(env.DEVLOOP_IDLE_SECONDS) * 1000 - CLOCKS_MS;
    const working = machine.askers.filter((asker) => this.endOf(asker) === undefined);
    if (working.some((asker) => !this.isUntold(machine, asker, session, idleMs))) return 'while it was in use';
    if (leftMs < drainMs + NEAR_MS) return undefined;
    const holder = users.holds.find(
      (held) => held.hold && held.podId === podId && kernel.nowMs - held.toMs < CONFIRMED_WITHIN_MS,
    );
    if (holder && !holder.isOver) return 'while somebody held it on purpose';
    const idleSinceMs = Math.max(machine.readyAtMs, ...this.rightfulUses(machine));
    const earlyMs = idleSinceMs + idleMs - kernel.nowMs;
    return earlyMs > 0 ? `${Math.round(earlyMs / 1000)} s before its idle time was over` : undefined;
  }

  /** Nobody's idle time runs while somebody waits. */
  private waitedFor(podId: string, session: string, leftMs: number): string | undefined {
    const { cloud, kernel } = this.world;
    const planned = this.world.planned(session);
    const isServed = cloud.machines.get(podId)?.readyAtMs !== undefined;
    const isEnd = leftMs < this.world.drainMsOf(session) + NEAR_MS;
    if (!planned || !isServed || isEnd || this.isExcused(session, 'use') || this.isExcused(session, 'turn'))
      return undefined;
    const waits = jobsOf(this.world).find(
      (job) =>
        job.session === session &&
        job.status === 'RUNNING' &&
        kernel.nowMs - job.startedAtMs > ASKS_WITHIN_MS &&
        this.world.plannedJob(session, job.jobId)?.runner !== 'forbidden',
    );
    return waits ? `while ${waits.jobId} waited for it or worked on it` : undefined;
  }

  /** Programs outside Temporal tell of a use when it is over here: one that begins late in the idle time comes too late. */
  private isUntold(machine: PodMachine, asker: string, session: string, idleMs: number): boolean {
    const isOutside = this.world.planned(session)?.holders.some(({ leaseId }) => leaseId === asker) === true;
    const toldMs = Math.max(machine.readyAtMs ?? 0, machine.answeredAtMs.get(asker) ?? 0);
    return isOutside && this.world.kernel.nowMs - toldMs >= idleMs;
  }

  /** When each asker's right to the pod ended: with its last question, or before, with itself. */
  private rightfulUses({ answeredAtMs }: PodMachine): number[] {
    return [...answeredAtMs].map(([asker, atMs]) => Math.min(atMs, this.endOf(asker) ?? Infinity));
  }

  /** A job that has ended asks no more, whatever a process that was frozen still has under way. */
  private endOf(asker: string): number | undefined {
    const id = jobWorkflowId(asker);
    return this.world.temporal.executions().find(({ workflowId }) => workflowId === id)?.closedAtMs;
  }

  private lookAtUse({ name, podId, askers }: PodMachine): void {
    const session = parsePodName(name)?.session;
    const most = this.world.planned(session)?.input.maxConcurrentLeases;
    // A job that has ended gives its lease back before its work has heard of it.
    const working = askers.filter((asker) => {
      const endMs = this.endOf(asker);
      return endMs === undefined || this.world.kernel.nowMs - endMs > HEARD_WITHIN_MS;
    }).length;
    if (session === undefined || most === undefined || working <= most || this.isExcused(session, 'number')) return;
    this.findings.push(`${working} worked on pod ${podId} of session ${session} at once, where ${most} may`);
  }
}
