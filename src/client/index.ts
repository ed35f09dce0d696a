/** The public surface of `@devloop/client`. */
export { DevloopClient } from './devloop-client.js';
export type { ConnectOptions, StartedSession, SubmittedJob } from './devloop-client.js';
export type { Asked } from './ask-to-end.js';
export type { ClosedJob, ClosedSession, ClosedState, SinceOptions } from './closed.js';
export type { JobHandle, JobReport } from './job-handle.js';
export type { Lease, LeaseOptions } from './lease-handle.js';
export type { ReaperRounds } from './reaper-rounds.js';
export type { ReaperState } from './reaper-state.js';
export type { SessionHandle } from './session-handle.js';
export type { ListedJob, ListedSession } from './visibility.js';
export type { WatchOptions } from './watch.js';
export { DevloopError, ERROR_CODES, isErrorCode, type ErrorCode } from '../contract/errors.js';
export type { ChatMessage, Usage } from '../contract/chat.js';
export type { AgentJobInput, AgentJobResult, JobPhase, JobStatus } from '../contract/job.js';
export type { Grant } from '../contract/lease.js';
export type { RunnerAnswer, RunnerInput } from '../contract/runner.js';
export type { PodSessionInput, SessionPhase, SessionRecord, SessionStatus } from '../contract/session.js';
