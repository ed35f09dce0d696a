import { defineAgent, type AgentDefinition } from './agent-definition.js';
import { AgentFault } from './faults.js';

/** The agents every worker has. */
export const builtinAgents: readonly AgentDefinition[] = [defineAgent({ name: 'chat' })];

/**
 * The agents that a worker's jobs can name.
 *
 * @example
 * new AgentRegistry([...builtinAgents, defineAgent({ name: 'reviewer', tools: [readFile] })])
 */
export class AgentRegistry {
  readonly #agents = new Map<string, AgentDefinition>();

  /** @throws Error when two agents have one name: a programming mistake, seen at the worker's start */
  constructor(agents: readonly AgentDefinition[] = builtinAgents) {
    for (const agent of agents) {
      if (this.#agents.has(agent.name)) throw new Error(`two agents are named "${agent.name}"`);
      this.#agents.set(agent.name, agent);
    }
  }

  get names(): string[] {
    return [...this.#agents.keys()];
  }

  /** @throws AgentFault `AGENT_UNKNOWN`, non-retryable, which lists the names there are */
  get(name: string): AgentDefinition {
    const agent = this.#agents.get(name);
    if (agent) return agent;
    throw new AgentFault(
      'non-retryable',
      'AGENT_UNKNOWN',
      `this worker has no agent "${name}"; it has: ${this.names.join(', ')}`,
    );
  }
}
