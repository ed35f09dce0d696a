import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

/**
 * One timer against a moving deadline. A deadline that moves away costs nothing: the armed timer fires early and its
 * owner looks again. Only a deadline that comes nearer re-arms. (Re-arming at each use takes 6 events a use, this takes 4.)
 */
export class LazyTimer {
  private armed: { atMs: number; scope: CancellationScope } | undefined;
  private pastDue = false;

  /** @param summary shown beside the timer in Temporal's Web UI */
  constructor(private readonly summary: string) {}

  /** Since the last `arm`, the armed moment has come. */
  get fired(): boolean {
    return this.pastDue;
  }

  /** Epoch milliseconds; infinite while nothing is armed. */
  get armedAtMs(): number {
    return this.armed?.atMs ?? Infinity;
  }

  arm(atMs: number): void {
    this.pastDue = false;
    if (this.armed && this.armed.atMs <= atMs) return;
    this.cancel();
    const scope = new CancellationScope();
    this.armed = { atMs, scope };
    // A timer of nothing would be a timer all the same, and never shorter than a second on a stock server.
    const delayMs = Math.max(1, atMs - Date.now());
    scope
      .run(() => sleep(delayMs, { summary: this.summary }))
      .then(
        () => {
          this.armed = undefined;
          this.pastDue = true;
        },
        (error: unknown) => {
          if (!isCancellation(error)) throw error;
        },
      );
  }

  cancel(): void {
    this.armed?.scope.cancel();
    this.armed = undefined;
  }
}
