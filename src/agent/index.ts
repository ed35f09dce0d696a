export { defineAgent, type AgentContext, type AgentDefinition } from './agent-definition.js';
export { AgentFault, type FaultKind } from './faults.js';
export { type AgentMessage } from './messages.js';
export { AgentRegistry, builtinAgents } from './registry.js';
export { runAgent, type AgentRunOptions, type AgentRunResult, type AgentTimings } from './run-agent.js';
export { type EndpointLimits } from './endpoint.js';
