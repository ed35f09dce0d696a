import type { Kernel } from './kernel.js';

/**
 * A process that can be frozen (SIGSTOP) and killed (SIGKILL). All that reaches its code from outside, the clock's alarm
 * included, goes through `deliver`: a frozen process gets it when it thaws, a dead one never.
 */
export class SimProcess {
  private state: 'running' | 'frozen' | 'dead' = 'running';
  private held: (() => void)[] = [];
  /** What the system does when it is killed, such as closing its connections. */
  readonly onKill = new Set<() => void>();

  constructor(
    protected readonly kernel: Kernel,
    readonly name: string,
  ) {}

  get isRunning(): boolean {
    return this.state === 'running';
  }

  get isDead(): boolean {
    return this.state === 'dead';
  }

  deliver(act: () => void): void {
    if (this.state === 'running') act();
    else if (this.state === 'frozen') this.held.push(act);
  }

  freeze(): void {
    if (this.state === 'running') this.state = 'frozen';
  }

  thaw(): void {
    if (this.state !== 'frozen') return;
    this.state = 'running';
    for (const act of this.held.splice(0))
      this.kernel.at(this.kernel.nowMs, () => {
        this.deliver(act);
      });
  }

  kill(): void {
    this.state = 'dead';
    this.held = [];
    for (const act of this.onKill) act();
    this.onKill.clear();
  }

  /** As `runpod/time` wants it: whole milliseconds. */
  readonly clock = (): number => Math.floor(this.kernel.nowMs);

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const onAbort = (): void => {
        cancel();
        forget();
        reject(new Error('the sleep was aborted'));
      };
      if (signal?.aborted) {
        reject(new Error('the sleep was aborted'));
        return;
      }
      const cancel = this.kernel.at(this.kernel.nowMs + ms, () => {
        this.deliver(() => {
          forget();
          resolve();
        });
      });
      // Node keeps a signal made of others, and all that its listeners know, for as long as it has listeners.
      const forget = (): void => {
        signal?.removeEventListener('abort', onAbort);
        this.onKill.delete(forget);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.onKill.add(forget);
    });
}
