import { DevloopError } from '../contract/index.js';
import type { AgentDefinition } from './agent-definition.js';
import { builtinAgents } from './builtin-agents.js';
import { AgentFault } from './faults.js';

/**
 * The agents that a worker's jobs can name.
 *
 * @example
 * new AgentRegistry([...builtinAgents(), defineAgent({ name: 'reviewer', tools: [readFile] })])
 */
export class AgentRegistry {
  readonly #agents = new Map<string, AgentDefinition>();

  /** @throws DevloopError `CONFIG_INVALID` when two agents have one name */
  constructor(agents: readonly AgentDefinition[] = builtinAgents()) {
    for (const agent of agents) {
      if (this.#agents.has(agent.name))
        throw new DevloopError('CONFIG_INVALID', `two agents are named "${agent.name}"`);
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
