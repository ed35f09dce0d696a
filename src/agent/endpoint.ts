import { Agent, fetch as undiciFetch, type RequestInit, type Response } from 'undici';
import { checkedAnswer, networkError, statusError } from './endpoint-answer.js';

/** How long a pod may be silent, in seconds. */
export interface EndpointLimits {
  connectSeconds: number;
  /** Until the first byte: loading a cold model and waiting behind other requests count. RunPod's proxy gives up after 100. */
  headersSeconds: number;
  /** Between two pieces of an answer: the stall watchdog. */
  bodySeconds: number;
}

const DEFAULT_LIMITS: EndpointLimits = { connectSeconds: 10, headersSeconds: 120, bodySeconds: 120 };

/** One run's way to its pod. */
export interface Endpoint {
  /** Without a slash at the end. */
  url: string;
  /** @throws EndpointError for everything but a usable answer; the run's abort reason when that ended it */
  fetch: typeof fetch;
  /** Closes whatever is still open. */
  close(): Promise<void>;
}

/**
 * A `fetch` for one run: it carries the gate's token and the run's signal, which neither LangChain nor ollama-js hands
 * down to the socket, and turns every bad answer into an EndpointError before a client library can print, retry or
 * swallow it. Connections are the run's own, so a kept-alive one is never left over from a pod that is gone.
 */
export function openEndpoint(options: {
  url: string;
  token: string;
  signal: AbortSignal;
  limits?: Partial<EndpointLimits>;
}): Endpoint {
  const url = options.url.replace(/\/+$/, '');
  const { origin } = new URL(url);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const dispatcher = new Agent({
    connect: { timeout: limits.connectSeconds * 1000 },
    headersTimeout: limits.headersSeconds * 1000,
    bodyTimeout: limits.bodySeconds * 1000,
  });

  async function signalledFetch(input: string | URL, init: RequestInit = {}): Promise<Response> {
    if (new URL(input).origin !== origin) throw new Error(`an agent's model may call ${origin} only`);
    const signal = init.signal ? AbortSignal.any([init.signal, options.signal]) : options.signal;
    const response = await undiciFetch(input, {
      ...init,
      // Only these: the client libraries add account ids from the environment, which are no business of a pod.
      headers: {
        accept: '*/*',
        authorization: `Bearer ${options.token}`,
        'content-type': 'application/json',
        'user-agent': 'devloop',
      },
      redirect: 'manual',
      signal,
      dispatcher,
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw networkError(error);
    });
    if (!response.ok) throw await statusError(response);
    return checkedAnswer(response, signal);
  }

  return {
    url,
    // undici's own fetch types differ from Node's only in their names.
    fetch: signalledFetch as unknown as typeof fetch,
    close: () => dispatcher.destroy(),
  };
}
