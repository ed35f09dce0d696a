import * as z from 'zod';
import type { ApiKind } from '../contract/index.js';
import type { Endpoint } from './endpoint.js';
import { EndpointError } from './endpoint-answer.js';
import { modelCannotCallTools, modelNotServed } from './faults.js';

/** Ollama API, `POST /api/show`. A server older than the field says nothing about its models' abilities. */
const shownModelSchema = z.object({ capabilities: z.array(z.string()).optional() });

/** OpenAI API, `GET /v1/models`. */
const modelListSchema = z.object({ data: z.array(z.object({ id: z.string() })) });

/**
 * Asks the pod, before anything is generated, whether it can do what the agent needs. llama.cpp's server answers with its
 * one model whatever name is asked for, so only its list tells that it is another one.
 * An OpenAI-compatible server does not say which models can call tools: there, the run finds out.
 *
 * @throws AgentFault `MODEL_NOT_SERVED` or `MODEL_CANNOT_CALL_TOOLS`; EndpointError as the endpoint's fetch
 */
export async function checkModel(options: {
  api: ApiKind;
  endpoint: Endpoint;
  model: string;
  needsTools: boolean;
}): Promise<void> {
  const { api, endpoint, model, needsTools } = options;
  if (api === 'openai') {
    const response = await endpoint.fetch(`${endpoint.url}/v1/models`);
    const served = (await readJson(response, modelListSchema)).data.map(({ id }) => id);
    if (!served.includes(model)) throw modelNotServed(model, `it serves: ${served.join(', ') || 'none'}`);
    return;
  }
  // A missing model is a 404, which the mapping of faults knows.
  const response = await endpoint.fetch(`${endpoint.url}/api/show`, {
    method: 'POST',
    body: JSON.stringify({ model }),
  });
  const { capabilities } = await readJson(response, shownModelSchema);
  if (needsTools && capabilities && !capabilities.includes('tools')) throw modelCannotCallTools(model, api);
}

async function readJson<T extends z.ZodType>(response: Response, schema: T): Promise<z.output<T>> {
  const text = await response.text();
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new EndpointError({ what: 'foreign-answer', contentType: 'JSON of another kind' });
  }
}
