import { AIMessage } from '@langchain/core/messages';
import type { AgentLimits, ApiKind, OutputSchema, Usage } from '../contract/index.js';
import type { AgentDefinition } from './agent-definition.js';
import { checkModel } from './capabilities.js';
import { openEndpoint, type Endpoint, type EndpointLimits } from './endpoint.js';
import { AgentFault, rethrowAsFault } from './faults.js';
import { toAgentMessage, toLangChainMessages, type AgentMessage } from './messages.js';
import { createChatModel } from './model.js';
import { AgentRegistry } from './registry.js';
import { RunBudget, type Spent } from './run-budget.js';
import { RunMeter } from './run-meter.js';

const defaultAgents = new AgentRegistry();

export interface AgentRunOptions {
  /** A name in `agents`. */
  agent: string;
  input: string | readonly AgentMessage[];
  api: ApiKind;
  /** The gate's URL, as in the grant. */
  endpoint: string;
  /** The gate's token; appears in no message, error or log line. */
  token: string;
  model: string;
  /** Ends the run and closes its connection at once. */
  signal: AbortSignal;
  /** A sign of life with each piece of the answer; the text is empty for a piece of a tool call. Must not throw. */
  onToken?: (text: string) => void;
  /** JSON Schema of the answer, for agents that need one. */
  outputSchema?: OutputSchema | undefined;
  /** Default: 25 model calls, and nothing else. */
  limits?: AgentLimits | undefined;
  /** What earlier attempts of the same job used of the limits. */
  spent?: Spent | undefined;
  /** Called with each model call and each piece of an answer. Must not throw. */
  onSpent?: (spent: Spent) => void;
  /** How long the pod may be silent. */
  patience?: Partial<EndpointLimits>;
  /** Default: the built-in agents. */
  agents?: AgentRegistry;
}

/** Seconds. What the model server tells of itself is summed over the run's model calls; an OpenAI-compatible one tells nothing. */
export interface AgentTimings {
  totalSeconds: number;
  loadSeconds?: number;
  evalSeconds?: number;
  tokensPerSecond?: number;
}

export interface AgentRunResult {
  /** The text of the last message. */
  output: string;
  /** The whole conversation, input included. */
  messages: AgentMessage[];
  usage: Usage;
  timings: AgentTimings;
}

/**
 * Runs a named agent once against a pod. Makes no retries: whoever calls it knows whether the pod still lives.
 *
 * @throws AgentFault for every failure; the reason of `signal`, as it is, when that ended the run
 */
export async function runAgent(options: AgentRunOptions): Promise<AgentRunResult> {
  const { api, model: modelName, token, outputSchema } = options;
  options.signal.throwIfAborted();
  const agent = (options.agents ?? defaultAgents).get(options.agent);
  requireSchema(agent, outputSchema);
  const startedMs = performance.now();
  const budget = new RunBudget(options.limits ?? {}, options.spent, options.onSpent);
  const signal = AbortSignal.any([options.signal, budget.signal]);
  const endpoint = openEndpoint({ url: options.endpoint, token, signal, limits: options.patience ?? {} });
  const counted: Endpoint = {
    ...endpoint,
    fetch: (input, init) => {
      budget.callBegins();
      return endpoint.fetch(input, init);
    },
  };
  const meter = new RunMeter(budget, options.onToken);
  try {
    await checkModel({ api, endpoint, model: modelName, needsTools: agent.needsTools });
    const transcript = await agent.run({
      model: createChatModel({ api, endpoint: counted, model: modelName, outputSchema, callbacks: [meter] }),
      messages: toLangChainMessages(options.input),
      ...(outputSchema && { outputSchema }),
      signal,
      maxModelCalls: budget.maxModelCalls,
    });
    signal.throwIfAborted();
    const answer = transcript.at(-1);
    if (!AIMessage.isInstance(answer)) {
      throw new AgentFault('retryable', 'AGENT_FAILED', `the agent "${agent.name}" ended without an answer`);
    }
    const totalSeconds = (performance.now() - startedMs) / 1000;
    return {
      output: answer.text,
      messages: transcript.map(toAgentMessage),
      usage: meter.usage,
      timings: { totalSeconds, ...meter.timings },
    };
  } catch (error) {
    return rethrowAsFault(error, { signal, api, model: modelName, token });
  } finally {
    budget.close();
    await endpoint.close();
  }
}

function requireSchema(agent: AgentDefinition, outputSchema: OutputSchema | undefined): void {
  const isNeeded = agent.needsOutputSchema === true;
  if (isNeeded === (outputSchema !== undefined)) return;
  const problem = isNeeded ? 'needs one' : 'does not answer by one: leave it out, or take the agent "structured"';
  throw new AgentFault('non-retryable', 'INVALID_INPUT', `outputSchema: the agent "${agent.name}" ${problem}`);
}
