import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import { RunPodError, type Clock, type Sleep } from '../runpod/index.js';

const BEATS_PER_TIMEOUT = 4;
/** Of an activity that was scheduled without a heartbeat timeout. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** The server counts from the last beat that reached it: the SDK holds beats back for seconds, and they travel. */
const CERTAIN_SHARE = 0.5;

/**
 * Beats beside slow calls, so that a killed worker is noticed in seconds. It also notices its own death: a process that
 * was frozen for longer than the heartbeat timeout has been replaced, and must not create anything any more.
 */
export class Heart {
  private lastBeatMs: number;
  private longestGapMs = 0;

  /** @param details what the attempt before this one told last: a beat without them would erase them */
  constructor(
    private readonly clock: Clock,
    private readonly timeoutMs: number,
    private details: unknown,
  ) {
    this.lastBeatMs = clock();
  }

  /** What the activity is doing; a later attempt reads the newest as `activityInfo().heartbeatDetails`. */
  tell(details: unknown): void {
    this.details = details;
    this.beat();
  }

  /** @throws RunPodError `nothing-created` when another attempt may be running already */
  assertAlive(): void {
    this.measure();
    if (this.longestGapMs > this.timeoutMs * CERTAIN_SHARE) {
      const detail = 'this attempt was frozen for longer than it may; another one may have taken over';
      throw new RunPodError({ kind: 'nothing-created', operation: 'create-pod', detail });
    }
  }

  beat(): void {
    this.measure();
    if (this.longestGapMs > this.timeoutMs) return;
    this.lastBeatMs = this.clock();
    heartbeat(this.details);
  }

  private measure(): void {
    this.longestGapMs = Math.max(this.longestGapMs, this.clock() - this.lastBeatMs);
  }
}

export interface HeartTime {
  readonly clock: Clock;
  readonly sleep: Sleep;
}

/** Runs an activity's work with a heart beside it. The signal ends both. */
export async function withHeart<T>(
  time: HeartTime,
  work: (heart: Heart, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const info = activityInfo();
  const timeoutMs = info.heartbeatTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  const heart = new Heart(time.clock, timeoutMs, info.heartbeatDetails);
  const done = new AbortController();
  const beating = (async () => {
    while (!done.signal.aborted) {
      heart.beat();
      await time.sleep(timeoutMs / BEATS_PER_TIMEOUT, done.signal);
    }
  })().catch(() => undefined);
  try {
    return await work(heart, cancellationSignal());
  } finally {
    done.abort();
    await beating;
  }
}
