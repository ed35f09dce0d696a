export { defineAgent, type AgentContext, type AgentDefinition } from './agent-definition.js';
export { AgentFault, type FaultKind } from './faults.js';
export { type AgentMessage } from './messages.js';
export { builtinAgents } from './builtin-agents.js';
export { loadAgents } from './load-agents.js';
export { AgentRegistry } from './registry.js';
export { type Spent } from './run-budget.js';
export { runAgent, type AgentRunOptions, type AgentRunResult, type AgentTimings } from './run-agent.js';
export { type EndpointLimits } from './endpoint.js';
