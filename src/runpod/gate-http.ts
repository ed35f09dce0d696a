import type * as z from 'zod';
import type { AxiosAdapter } from 'axios';
import { answerText, jsonObject, redact } from './answer-text.js';
import { classifyGate, GateError, type GateFailure } from './gate-errors.js';
import { Http, type HttpRequest, type HttpResponse, type Outcome } from './http.js';
import { type Sleep, systemSleep } from './time.js';

export interface GateClientOptions {
  /** Of {@link podEndpoint}. */
  endpoint: string;
  /** Of {@link gateToken}. */
  token: string;
  userAgent: string;
  adapter?: AxiosAdapter | undefined;
  sleep?: Sleep | undefined;
}

export interface GateCallOptions {
  signal?: AbortSignal | undefined;
}

export interface GateRequest extends HttpRequest {
  /** The request names a model, so that 404 and 500 may be about that. */
  namesModel?: boolean;
}

/** Milliseconds for a small question to the pod: RunPod's proxy alone may take a second or two. */
export const shortTimeoutMs = 10_000;

/** Requests to one pod's gate; throws {@link GateError} and nothing else. */
export class GateHttp {
  readonly #http: Http;
  readonly #token: string;
  readonly sleep: Sleep;

  constructor(options: GateClientOptions) {
    this.#token = options.token;
    this.sleep = options.sleep ?? systemSleep;
    this.#http = new Http({
      baseUrl: options.endpoint,
      bearer: options.token,
      userAgent: options.userAgent,
      sleep: this.sleep,
      adapter: options.adapter,
    });
  }

  async send(request: GateRequest): Promise<HttpResponse> {
    return this.#check(request, await this.#http.send(request));
  }

  async json<T>(request: GateRequest, schema: z.ZodType<T>): Promise<T> {
    const { body, status } = await this.send(request);
    const json = jsonObject(body);
    // A 200 that is not JSON comes from something in front of the service.
    if (json === undefined)
      throw this.error(request, { kind: 'not-up', status, detail: `no JSON: ${answerText(body)}` });
    const { data } = schema.safeParse(json);
    if (data === undefined) {
      throw this.error(request, { kind: 'bad-answer', status, detail: `unexpected answer: ${body.slice(0, 200)}` });
    }
    return data;
  }

  /** `read` must not throw. */
  async stream<T>(request: GateRequest, read: (lines: AsyncIterable<string>) => Promise<T>): Promise<T> {
    const outcome = await this.#http.stream(request, read);
    if (outcome.type === 'streamed') return outcome.value;
    const { status } = this.#check(request, outcome);
    throw this.error(request, { kind: 'not-up', status, detail: 'a page instead of a stream' });
  }

  error(request: GateRequest, failure: GateFailure): GateError {
    const detail = redact(failure.detail, [this.#token]);
    return new GateError(`${request.method} ${request.path}`, { ...failure, detail });
  }

  #check(request: GateRequest, outcome: Outcome): HttpResponse {
    const failure = classifyGate(outcome, request.namesModel ?? false);
    if (failure !== undefined) throw this.error(request, failure);
    return outcome as HttpResponse;
  }
}
