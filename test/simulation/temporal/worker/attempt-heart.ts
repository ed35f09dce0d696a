import type { Payload } from '@temporalio/common';
import type { Cancel } from '../../kernel/kernel.js';
import type { AttemptTask, CancelReason } from './activity-attempt.js';
import type { SimWorker } from './sim-worker.js';

const THROTTLE_SHARE = 0.8;
const DEFAULT_THROTTLE_MS = 30_000;
/** `maxHeartbeatThrottleInterval` of the worker. */
const MAX_THROTTLE_MS = 2000;
/** The SDK gives up an attempt by itself this much later than the server. */
const LOCAL_BUFFER_MS = 5000;

/** The SDK's side of heartbeats: holds them back, sends the newest, and gives up an attempt that is out of time. */
export class AttemptHeart {
  lastDetails: Payload | undefined;
  private held: Payload | undefined;
  private lastSentAtMs = -Infinity;
  private cancelHeld: Cancel | undefined;
  private isStopped = false;
  private readonly startedAtMs: number;
  private readonly throttleMs: number;

  constructor(
    private readonly worker: SimWorker,
    private readonly task: AttemptTask,
    private readonly giveUp: (reason: CancelReason) => void,
  ) {
    const { heartbeatTimeoutMs } = task;
    const wanted = heartbeatTimeoutMs === undefined ? DEFAULT_THROTTLE_MS : heartbeatTimeoutMs * THROTTLE_SHARE;
    this.throttleMs = Math.min(wanted, MAX_THROTTLE_MS);
    this.startedAtMs = worker.kernel.nowMs;
    this.watch();
  }

  beat(details: Payload): void {
    this.lastDetails = details;
    if (this.isStopped) return;
    const { kernel, process } = this.worker;
    const nextAtMs = this.lastSentAtMs + this.throttleMs;
    if (kernel.nowMs >= nextAtMs) {
      this.send(details);
      return;
    }
    this.held = details;
    this.cancelHeld ??= kernel.at(nextAtMs, () => {
      process.deliver(() => {
        this.cancelHeld = undefined;
        this.flush();
      });
    });
  }

  /** @param flush an answer to a cancel carries no details, so that the last ones go before it */
  stop(flush: boolean): void {
    if (flush) this.flush();
    this.isStopped = true;
    this.cancelHeld?.();
  }

  private flush(): void {
    const { held } = this;
    this.held = undefined;
    if (held && !this.isStopped) this.send(held);
  }

  private send(details: Payload): void {
    const { kernel, process } = this.worker;
    this.lastSentAtMs = kernel.nowMs;
    if (!this.worker.heartbeatsArrive) return;
    const answer = this.task.activity.heartbeat(this.task.token, details);
    if (answer === 'go-on') return;
    kernel.at(kernel.soon(2, 15), () => {
      process.deliver(() => {
        if (!this.isStopped) this.giveUp(answer === 'cancel' ? 'CANCELLED' : 'NOT_FOUND');
      });
    });
  }

  private watch(): void {
    const { heartbeatTimeoutMs = Infinity, startToCloseTimeoutMs } = this.task;
    const lastAliveMs = Math.max(this.startedAtMs, this.lastSentAtMs);
    const dueAtMs =
      Math.min(lastAliveMs + heartbeatTimeoutMs, this.startedAtMs + startToCloseTimeoutMs) + LOCAL_BUFFER_MS;
    if (dueAtMs === Infinity) return;
    const { kernel, process } = this.worker;
    kernel.at(dueAtMs, () => {
      if (this.isStopped || process.isDead) return;
      process.deliver(() => {
        if (this.isStopped) return;
        const isBeating = this.lastSentAtMs > lastAliveMs;
        if (isBeating && kernel.nowMs < this.startedAtMs + startToCloseTimeoutMs + LOCAL_BUFFER_MS) this.watch();
        else this.giveUp('TIMED_OUT');
      });
    });
  }
}
