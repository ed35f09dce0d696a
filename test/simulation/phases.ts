/** What a session is doing, as faults are counted by. `serve`: a job runs on the pod; `idle`: ready, and nobody uses it. */
export const PHASES = ['create', 'boot', 'serve', 'idle', 'drain', 'stop'] as const;
export type Phase = (typeof PHASES)[number];
