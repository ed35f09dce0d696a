/**
 * The timers of ours that decide how long a failure can put off an end. Written here from the design, not imported: a
 * constant that grows in the product must not loosen what is demanded of it.
 */
export const HEARTBEAT_SECONDS = 10;
/** A workflow task goes to a dead worker's own queue first. */
export const STICKY_SECONDS = 10;
/** Of activities: what a retry may wait for. */
export const BACK_OFF_SECONDS = 30;
/** RunPod's own "not before" is heeded so long at most while a pod has to end. */
export const LONGEST_RETRY_AFTER_SECONDS = 60;
/** Without an accepted DELETE the listings are spread over this. */
export const SPREAD_SECONDS = 60;
/** The reaper looks every 120 s, and again 60 s later before it ends what is nobody's. */
export const REAPER_SECONDS = 120 + 60;
export const GRACE_SECONDS = 120;
/** `devloop reap` of the examples, on another machine. */
export const CRON_SECONDS = 900;
/** A call to RunPod that never answers is given up after this. */
export const CALL_SECONDS = 60;
/** A lease whose holder died silently. */
export const LEASE_SECONDS = 300;

/** A worker that is gone or cut off for so long: noticed, handed over, tried again. */
export const workerGone = (seconds: number): number =>
  seconds + HEARTBEAT_SECONDS + STICKY_SECONDS + BACK_OFF_SECONDS + 10;

/** RunPod does not do what it is asked for so long. */
export const runPodFails = (seconds: number): number => seconds + CALL_SECONDS + BACK_OFF_SECONDS;
