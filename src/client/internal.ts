/** What Devloop's own programs need beside the public surface. */
export { unlessAborted } from './abort.js';
export { atOnce } from './at-once.js';
export { noWorkerError } from './failures.js';
export { essenceOf } from './session-handle.js';
export { lookAtSessions, runState, type LookAtSessions } from './session-looks.js';
export { temporalFromEnvironment, type TemporalSettings } from './settings.js';
export { jobStartOptions, sessionStartOptions } from './start-options.js';
