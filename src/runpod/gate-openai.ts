import * as z from 'zod';
import { type GateCallOptions, type GateHttp, shortTimeoutMs } from './gate-http.js';

/** An OpenAI-compatible server (vLLM, llama.cpp's) behind a pod's gate. */
export class OpenAiGate {
  readonly #http: GateHttp;

  constructor(http: GateHttp) {
    this.#http = http;
  }

  /** Answers once the model is loaded; until then the servers say 503, here `not-up`. vLLM's body is empty, so {@link models} is the proof. */
  async health(options: GateCallOptions = {}): Promise<void> {
    await this.#http.send({ method: 'GET', path: '/health', timeoutMs: shortTimeoutMs, ...options });
  }

  /** Ids of the models served. */
  async models(options: GateCallOptions = {}): Promise<string[]> {
    const request = { method: 'GET' as const, path: '/v1/models', timeoutMs: shortTimeoutMs, ...options };
    const schema = z.object({ data: z.array(z.object({ id: z.string() })) });
    return (await this.#http.json(request, schema)).data.map((model) => model.id);
  }
}
