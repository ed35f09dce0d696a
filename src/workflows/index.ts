export { AgentJob } from './agent-job/workflow.js';
export { PodSession } from './pod-session/workflow.js';
