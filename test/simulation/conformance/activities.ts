import {
  ApplicationFailure,
  activityInfo as currentInfo,
  CancelledFailure,
  cancellationSignal,
  heartbeat,
  type Info,
} from '@temporalio/activity';

type Seen = Omit<Info, 'heartbeatDetails'> & { readonly heartbeatDetails: unknown };
const activityInfo = (): Seen => currentInfo();

export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

export type ConformanceActivities = ReturnType<typeof createActivities>;

/** What the conformance workflows call, on either side. @param sleep the side's own */
export function createActivities(sleep: Sleep) {
  const untilCancelled = async (everyMs: number): Promise<void> => {
    const signal = cancellationSignal();
    while (!signal.aborted) {
      heartbeat();
      await sleep(everyMs, signal).catch(() => undefined);
    }
  };
  return {
    echo: async (value: unknown): Promise<unknown> => value,

    /** Fails until its attempt is that number. */
    flaky: async (attempt: number, type: string): Promise<number> => {
      if (activityInfo().attempt >= attempt) return activityInfo().attempt;
      throw ApplicationFailure.retryable(`attempt ${activityInfo().attempt}`, type);
    },

    failForGood: async (): Promise<never> => {
      throw ApplicationFailure.nonRetryable('for good', 'Final', { attempt: activityInfo().attempt });
    },

    plainError: async (): Promise<never> => {
      throw new RangeError('out of range');
    },

    /** Waits for as long as the failure says. */
    soonAgain: async (): Promise<number> => {
      const { attempt } = activityInfo();
      if (attempt > 2) return attempt;
      throw ApplicationFailure.create({ message: 'soon', type: 'Soon', nextRetryDelay: 10 });
    },

    /** Takes longer than it may in its first attempts. */
    slowUntil: async (attempt: number, ms: number): Promise<number> => {
      if (activityInfo().attempt < attempt) await sleep(ms);
      return activityInfo().attempt;
    },

    /** Tells how far it is, then falls silent; the next attempt says what it was told. */
    silentAfterBeats: async (): Promise<unknown> => {
      const { attempt, heartbeatDetails } = activityInfo();
      if (attempt > 1) return heartbeatDetails;
      heartbeat({ step: 1 });
      await sleep(20);
      heartbeat({ step: 2 });
      await sleep(6000, cancellationSignal());
      return 'not reached';
    },

    /** Two beats in one moment, then a failure: the later one goes with it. */
    failsAfterBeats: async (): Promise<unknown> => {
      const { attempt, heartbeatDetails } = activityInfo();
      if (attempt > 1) return heartbeatDetails;
      heartbeat({ step: 1 });
      heartbeat({ step: 2 });
      throw ApplicationFailure.retryable('after beats', 'AfterBeats');
    },

    obedient: async (): Promise<string> => {
      await untilCancelled(20);
      throw cancellationSignal().reason as CancelledFailure;
    },

    /** Sees the cancel and ends well all the same. */
    stubborn: async (): Promise<string> => {
      await untilCancelled(20);
      return 'done in spite of it';
    },

    failsWhenCancelled: async (): Promise<never> => {
      await untilCancelled(20);
      throw ApplicationFailure.retryable('while cancelled', 'WhileCancelled');
    },

    cancelledUnasked: async (): Promise<never> => {
      throw new CancelledFailure('nobody asked');
    },

    deaf: async (ms: number): Promise<string> => {
      await sleep(ms);
      return 'heard nothing';
    },

    seen: async (): Promise<unknown> => {
      const { attempt, activityType, heartbeatTimeoutMs, heartbeatDetails, taskQueue, workflowType } = activityInfo();
      return {
        attempt,
        activityType,
        heartbeatTimeoutMs,
        heartbeatDetails,
        isOnQueue: taskQueue.length > 0,
        workflowType,
      };
    },
  };
}
