import type { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { ChatOllama } from '@langchain/ollama';
import { ChatOpenAI } from '@langchain/openai';
import type { ApiKind } from '../contract/index.js';
import type { Endpoint } from './endpoint.js';

/**
 * A chat model for one run: ChatOllama aborts every call of its instance when one is aborted, so runs never share one.
 * It makes one HTTP request for each call; retrying is its caller's business.
 */
export function createChatModel(options: {
  api: ApiKind;
  endpoint: Endpoint;
  model: string;
  callbacks: BaseCallbackHandler[];
}): BaseChatModel {
  const { api, endpoint, model, callbacks } = options;
  if (api === 'ollama') return new ChatOllama({ model, baseUrl: endpoint.url, fetch: endpoint.fetch, callbacks });
  return new ChatOpenAI({
    model,
    // The endpoint's fetch sends the real one; the library only insists on having some.
    apiKey: 'unused',
    configuration: { baseURL: `${endpoint.url}/v1`, fetch: endpoint.fetch },
    maxRetries: 0,
    // `streaming: true` would make `invoke` fetch a tokenizer from a public web site; the run's meter makes it stream.
    streamUsage: true,
    callbacks,
  });
}
