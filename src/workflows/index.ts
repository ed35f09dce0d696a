export { AgentJob } from './agent-job/workflow.js';
export { PodReaper } from './pod-reaper/workflow.js';
export { PodSession } from './pod-session/workflow.js';
export { Webhook } from './webhook/workflow.js';
