import { AIMessage } from '@langchain/core/messages';
import type { ApiKind, Usage } from '../contract/index.js';
import { checkModel } from './capabilities.js';
import { openEndpoint, type EndpointLimits } from './endpoint.js';
import { AgentFault, rethrowAsFault } from './faults.js';
import { toAgentMessage, toLangChainMessages, type AgentMessage } from './messages.js';
import { createChatModel } from './model.js';
import { AgentRegistry } from './registry.js';
import { RunMeter } from './run-meter.js';

/** Bounds an agent that goes round in circles with its tools. */
const DEFAULT_MAX_MODEL_CALLS = 25;

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
  limits?: Partial<EndpointLimits> & { maxModelCalls?: number };
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
  const { signal, api, model: modelName, token, limits = {} } = options;
  signal.throwIfAborted();
  const agent = (options.agents ?? defaultAgents).get(options.agent);
  const startedMs = performance.now();
  const endpoint = openEndpoint({ url: options.endpoint, token, signal, limits });
  const meter = new RunMeter(options.onToken);
  try {
    await checkModel({ api, endpoint, model: modelName, needsTools: agent.needsTools });
    const transcript = await agent.run({
      model: createChatModel({ api, endpoint, model: modelName, callbacks: [meter] }),
      messages: toLangChainMessages(options.input),
      signal,
      maxModelCalls: limits.maxModelCalls ?? DEFAULT_MAX_MODEL_CALLS,
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
    await endpoint.close();
  }
}
