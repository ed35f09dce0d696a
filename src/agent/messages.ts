import { AIMessage, HumanMessage, SystemMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import type { ChatMessage } from '../contract/index.js';

/** A message as plain JSON. Tool calls are kept so that a transcript shows what the agent did. */
export interface AgentMessage extends ChatMessage {
  toolCalls?: { id?: string; name: string; args: Record<string, unknown> }[];
  /** On a tool's answer: which call it answers. */
  toolCallId?: string;
}

const ROLES: Record<string, ChatMessage['role']> = { human: 'user', ai: 'assistant', system: 'system', tool: 'tool' };

export function toLangChainMessages(input: string | readonly AgentMessage[]): BaseMessage[] {
  if (typeof input === 'string') return [new HumanMessage(input)];
  return input.map((message) => {
    const { content } = message;
    switch (message.role) {
      case 'system':
        return new SystemMessage(content);
      case 'user':
        return new HumanMessage(content);
      case 'assistant':
        return new AIMessage({ content, tool_calls: message.toolCalls ?? [] });
      case 'tool':
        return new ToolMessage({ content, tool_call_id: message.toolCallId ?? '' });
    }
  });
}

export function toAgentMessage(message: BaseMessage): AgentMessage {
  // A role of some agent's own is the assistant's side of the conversation.
  const plain: AgentMessage = { role: ROLES[message.type] ?? 'assistant', content: message.text };
  if (AIMessage.isInstance(message) && message.tool_calls && message.tool_calls.length > 0) {
    plain.toolCalls = message.tool_calls.map(({ id, name, args }) => ({
      ...(id === undefined ? {} : { id }),
      name,
      args,
    }));
  }
  if (ToolMessage.isInstance(message)) plain.toolCallId = message.tool_call_id;
  return plain;
}
