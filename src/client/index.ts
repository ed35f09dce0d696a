export { noWorkerError } from './failures.js';
export { DevloopClient } from './devloop-client.js';
export type { ConnectOptions, StartedSession, SubmittedJob } from './devloop-client.js';
export type { ListedJob, ListedSession } from './visibility.js';
export type { JobHandle } from './job-handle.js';
export type { SessionHandle, WatchOptions } from './session-handle.js';
export { temporalFromEnvironment, type TemporalSettings } from './settings.js';
export { jobStartOptions, sessionStartOptions } from './start-options.js';
export { lookAtSessions, runState, type LookAtSessions } from './session-looks.js';
