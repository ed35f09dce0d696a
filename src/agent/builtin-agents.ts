import { defineAgent, type AgentDefinition } from './agent-definition.js';
import { structuredAgent } from './structured-agent.js';
import { calculator } from './tools/calculator.js';
import { fetchTool } from './tools/fetch-text.js';

/**
 * The agents every worker has.
 * @param fetchHosts hosts that `react` may read from; with none it has no tool for it
 */
export function builtinAgents(fetchHosts: readonly string[] = []): readonly AgentDefinition[] {
  return [
    defineAgent({ name: 'chat' }),
    defineAgent({
      name: 'react',
      systemPrompt:
        'Solve the task step by step. Use the tools for what they can do, and answer when you have what you need.',
      tools: [calculator, ...(fetchHosts.length === 0 ? [] : [fetchTool(fetchHosts)])],
    }),
    structuredAgent,
  ];
}
