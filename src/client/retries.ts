import { setTimeout as delay } from 'node:timers/promises';
import {
  defaultGrpcRetryOptions,
  isRetryableError,
  makeGrpcRetryInterceptor,
  type ConnectionOptions,
} from '@temporalio/client';

/** Together with the delay, long enough for a Temporal server to be restarted. */
const MAX_ATTEMPTS = 30;
const MAX_DELAY_MS = 1000;
/** A timer may be this late. */
const TIMER_SLACK_MS = 50;

/**
 * The SDK's own retries of calls that found no server, but such that a connection can be closed: the SDK's go on after
 * the close and then throw where nobody can catch it.
 */
export class Retries {
  private closing = false;
  private nextAtMs = 0;
  readonly interceptors: NonNullable<ConnectionOptions['interceptors']>;

  constructor() {
    const { delayFunction } = defaultGrpcRetryOptions();
    const interceptor = makeGrpcRetryInterceptor({
      retryableDecider: (attempt, status) => !this.closing && attempt < MAX_ATTEMPTS && isRetryableError(status),
      delayFunction: (attempt, status) => {
        const delayMs = Math.min(delayFunction(attempt, status), MAX_DELAY_MS);
        this.nextAtMs = Math.max(this.nextAtMs, Date.now() + delayMs + TIMER_SLACK_MS);
        return delayMs;
      },
    });
    this.interceptors = [interceptor];
  }

  /** Resolves when no retry is to come any more. */
  async settle(): Promise<void> {
    this.closing = true;
    const waitMs = this.nextAtMs - Date.now();
    if (waitMs > 0) await delay(waitMs);
  }
}
