import type { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { ChatOllama } from '@langchain/ollama';
import { ChatOpenAI } from '@langchain/openai';
import type { ApiKind, OutputSchema } from '../contract/index.js';
import type { Endpoint } from './endpoint.js';

/**
 * A chat model for one run: ChatOllama aborts every call of its instance when one is aborted, so runs never share one.
 * It makes one HTTP request for each call; retrying is its caller's business.
 */
export function createChatModel(options: {
  api: ApiKind;
  endpoint: Endpoint;
  model: string;
  /** The server makes a grammar of it; some servers leave parts of it out, or all. */
  outputSchema?: OutputSchema | undefined;
  callbacks: BaseCallbackHandler[];
}): BaseChatModel {
  const { api, endpoint, model, outputSchema, callbacks } = options;
  if (api === 'ollama') {
    const format = outputSchema && { format: outputSchema };
    return new ChatOllama({ model, baseUrl: endpoint.url, fetch: endpoint.fetch, callbacks, ...format });
  }
  return new ChatOpenAI({
    model,
    // The endpoint's fetch sends the real one; the library only insists on having some.
    apiKey: 'unused',
    configuration: { baseURL: `${endpoint.url}/v1`, fetch: endpoint.fetch },
    maxRetries: 0,
    // `streaming: true` would make `invoke` fetch a tokenizer from a public web site; the run's meter makes it stream.
    streamUsage: true,
    ...(outputSchema && {
      modelKwargs: {
        response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: outputSchema } },
      },
    }),
    callbacks,
  });
}
