import type { Kernel } from '../kernel/kernel.js';
import type { Cloud } from './cloud.js';
import { switchDecision, switchPause, type SwitchDecision, type SwitchOrders } from './dead-man-switch.js';
import type { PodMachine } from './pod-machine.js';

const CALL_MS = [20, 400] as const;
/** The entrypoint starts it again within seconds. */
const SUPERVISED_MS = 6_000;

/** The dead-man's switch of one pod: the pure decision, driven by its own clock, with the pod's own key. */
export class PodSwitch {
  /** It does not run and nobody starts it again: the pod's own agent is dead. */
  isBroken = false;
  /** It runs, and RunPod hears nothing of it. */
  isUnheard = false;
  /** It has run on this machine. */
  hasRun = false;
  private epoch = 0;
  private used = false;
  private lastUse: number | null = null;
  private tries = 0;
  private clockIsKnown = false;
  private seen: { decision: SwitchDecision; atSeconds: number; inFlight: number; ready: boolean } | undefined;

  constructor(
    private readonly kernel: Kernel,
    private readonly cloud: Cloud,
    private readonly pod: PodMachine,
  ) {}

  /** Its pod is left to others. */
  get isNoHelp(): boolean {
    return this.isBroken || this.isUnheard;
  }

  /** With its container: what it knew of uses went with the container's disk. */
  start(): void {
    this.lastUse = null;
    this.used = false;
    this.run();
  }

  stop(): void {
    this.epoch += 1;
    this.seen = undefined;
  }

  /** Killed, and started again by its supervisor: what it has noted stays on the disk. */
  kill(): void {
    this.epoch += 1;
    const { epoch } = this;
    this.kernel.at(this.kernel.nowMs + SUPERVISED_MS, () => {
      if (epoch === this.epoch) this.run();
    });
  }

  breakForGood(): void {
    this.isBroken = true;
    this.stop();
  }

  noteUse(): void {
    this.used = true;
  }

  /** The dead-man's part of `GET /devloop/status`. */
  status(): object {
    if (this.pod.traits.watchdog === 'unarmed') return { state: 'unarmed', problem: 'it has no key' };
    if (!this.seen) return { state: 'starting' };
    const { decision, atSeconds, inFlight, ready } = this.seen;
    return { state: 'armed', ready, idleSeconds: decision.idle, inFlight, endsAt: decision.endsAt, seenAt: atSeconds };
  }

  private run(): void {
    if (this.isBroken) return;
    this.epoch += 1;
    this.tries = 0;
    this.look(this.epoch);
  }

  private look(epoch: number): void {
    if (epoch !== this.epoch || this.isBroken) return;
    const { kernel, pod } = this;
    // The API's Date header, once it answers; until then the machine's own clock.
    this.clockIsKnown ||= !kernel.chance(0.02);
    const uptime = Math.floor(kernel.nowMs / 1000);
    const now = this.clockIsKnown ? uptime : uptime + pod.traits.clockSkewSeconds;
    const sight = { ready: pod.isReady, inFlight: pod.inFlight, used: this.used, lastUse: this.lastUse };
    const decision = switchDecision(this.orders, sight, now, uptime);
    this.used = false;
    this.hasRun = true;
    this.lastUse = decision.lastUse;
    this.seen = { decision, atSeconds: now, inFlight: pod.inFlight, ready: pod.isReady };
    if (decision.ends) this.endPod(epoch);
    this.tries = decision.ends ? this.tries + 1 : 0;
    kernel.at(kernel.nowMs + switchPause(this.orders, this.tries) * 1000, () => {
      this.look(epoch);
    });
  }

  private endPod(epoch: number): void {
    const { kernel, cloud, pod } = this;
    const headers = { authorization: `Bearer ${pod.environment.RUNPOD_API_KEY ?? ''}` };
    const path = `/v2/pods/${pod.podId}`;
    kernel.at(kernel.soon(...CALL_MS), () => {
      if (epoch !== this.epoch || this.isUnheard) return;
      const reply = cloud.serve('POST', `${path}/action`, headers, {}, '{"action":"terminate"}');
      const isTaken = reply.delivery === 'answer' && reply.status < 300;
      if (!isTaken || this.tries > 2) cloud.serve('DELETE', path, headers);
    });
  }

  private get orders(): SwitchOrders {
    const env = this.pod.environment;
    return {
      readyBy: Number(env.DEVLOOP_READY_BY),
      idleSeconds: Number(env.DEVLOOP_IDLE_SECONDS),
      graceSeconds: Number(env.DEVLOOP_GRACE_SECONDS),
      hardDeadline: Number(env.DEVLOOP_HARD_DEADLINE),
    };
  }
}
