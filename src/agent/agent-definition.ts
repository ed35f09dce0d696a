import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { BaseMessage } from '@langchain/core/messages';
import type { StructuredToolInterface } from '@langchain/core/tools';
import { createAgent } from 'langchain';
import type { OutputSchema } from '../contract/index.js';

/** What an agent gets for one run. */
export interface AgentContext {
  /** Speaks to the session's pod, streams, reports tokens and usage by itself, and ends its request when `signal` fires. */
  model: BaseChatModel;
  messages: BaseMessage[];
  /** What the answer must be. Where the model's server can, it holds `model` to it; the agent checks. */
  outputSchema?: OutputSchema;
  /** The run's end, limits included. A tool that takes long has to obey it; model calls already do. */
  signal: AbortSignal;
  /** One more ends the run. */
  maxModelCalls: number;
}

/** An agent that jobs can name. Anything that works with a LangChain chat model can be one. */
export interface AgentDefinition {
  name: string;
  /** Models without tool calling are refused before the first call. */
  needsTools: boolean;
  /** Jobs must bring an `outputSchema`; those of all other agents must not. */
  needsOutputSchema?: boolean;
  /** @returns the whole conversation; its last message is the answer */
  run(context: AgentContext): Promise<BaseMessage[]>;
}

/**
 * A tool-calling (or, without tools, plain chat) agent on LangChain's `createAgent`: all that most projects need.
 *
 * @example
 * defineAgent({ name: 'reviewer', systemPrompt: 'You review diffs.', tools: [readFile] })
 */
export function defineAgent(options: {
  name: string;
  systemPrompt?: string;
  tools?: readonly StructuredToolInterface[];
}): AgentDefinition {
  const tools = [...(options.tools ?? [])];
  return {
    name: options.name,
    needsTools: tools.length > 0,
    async run({ model, messages, signal, maxModelCalls }) {
      const agent = createAgent({
        model,
        tools,
        ...(options.systemPrompt === undefined ? {} : { systemPrompt: options.systemPrompt }),
      });
      // Model and tools are two graph steps a turn: the limit of calls, which names its cause, comes first.
      const recursionLimit = 3 * (maxModelCalls + 1);
      const state = await agent.invoke({ messages }, { signal, recursionLimit });
      return state.messages;
    },
  };
}
