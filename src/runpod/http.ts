import { addAbortSignal, Readable } from 'node:stream';
import axios, { type AxiosInstance, type AxiosAdapter, type AxiosResponse } from 'axios';
import { readLines } from './lines.js';
import { type Sleep, withDeadline } from './time.js';

/** An answer with its whole body; header names in lower case. */
export interface HttpResponse {
  type: 'response';
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** What became of a request. `not-sent` is certain; `no-answer` means that it may have been received. */
export type Outcome =
  | HttpResponse
  | { type: 'not-sent'; reason: string }
  | { type: 'no-answer'; reason: string }
  | { type: 'timed-out'; timeoutMs: number }
  | { type: 'aborted'; sent: boolean };

export interface HttpRequest {
  method: 'GET' | 'POST' | 'DELETE';
  /** Relative to the base URL, with a leading slash. */
  path: string;
  query?: Record<string, string | number | undefined>;
  headers?: Readonly<Record<string, string>> | undefined;
  body?: unknown;
  /** For the whole call, its body included. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface HttpOptions {
  baseUrl: string;
  bearer: string;
  userAgent: string;
  sleep: Sleep;
  /** For tests and simulations. It answers with text, or with a stream where `responseType` is `stream`. */
  adapter?: AxiosAdapter | undefined;
}

/** 64 MB: a page of pods carries each pod's environment, and with it the packed scripts. */
const maxBodyBytes = 64 * 1024 * 1024;

/** HTTP without exceptions, redirects or retries: axios' errors carry the request's headers and stay in here. */
export class Http {
  readonly #axios: AxiosInstance;
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#axios = axios.create({
      baseURL: options.baseUrl.replace(/\/+$/, ''),
      headers: {
        Authorization: `Bearer ${options.bearer}`,
        // RunPod's edge answers 403 "error 1010" to some default user agents.
        'User-Agent': options.userAgent,
        Accept: 'application/json, application/problem+json;q=0.9, */*;q=0.1',
      },
      // A redirect would carry the key to another address and turn a POST into a GET.
      maxRedirects: 0,
      maxContentLength: maxBodyBytes,
      validateStatus: () => true,
      transformResponse: (data: unknown) => data,
      ...(isLoopback(options.baseUrl) ? { proxy: false as const } : {}),
      ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
    });
  }

  async send(request: HttpRequest): Promise<Outcome> {
    return await this.#run(request, async (signal) => {
      const response = await this.#call(request, 'text', signal);
      return toResponse(response, typeof response.data === 'string' ? response.data : '');
    });
  }

  /**
   * Hands the lines of a successful answer to `read`, which must not throw, and closes the connection when that returns.
   * Other answers, and HTML in place of a stream, come back as a response.
   */
  async stream<T>(
    request: HttpRequest,
    read: (lines: AsyncIterable<string>) => Promise<T>,
  ): Promise<Outcome | { type: 'streamed'; value: T }> {
    return await this.#run(request, async (signal) => {
      const response = await this.#call(request, 'stream', signal);
      const source = response.data instanceof Readable ? response.data : Readable.from([String(response.data)]);
      // Only axios' own adapter ends a body that is under way when the signal aborts.
      addAbortSignal(signal, source);
      // Destroying the stream while nobody reads it must not become an uncaught error.
      source.on('error', () => undefined);
      const lines = readLines(source as AsyncIterable<Buffer | string>);
      try {
        const isText = response.status < 200 || response.status > 299 || contentType(response).includes('html');
        if (!isText) return { type: 'streamed' as const, value: await read(lines) };
        const body: string[] = [];
        for await (const line of lines) {
          body.push(line);
          if (body.length >= 200) break;
        }
        return toResponse(response, body.join('\n'));
      } finally {
        source.destroy();
      }
    });
  }

  async #run<T>(request: HttpRequest, call: (signal: AbortSignal) => Promise<T>): Promise<T | Outcome> {
    if (request.signal?.aborted) return { type: 'aborted', sent: false };
    try {
      const ended = await withDeadline(call, {
        timeoutMs: request.timeoutMs,
        sleep: this.#options.sleep,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      if (ended.type === 'done') return ended.value;
      return ended.type === 'aborted'
        ? { type: 'aborted', sent: true }
        : { type: 'timed-out', timeoutMs: request.timeoutMs };
    } catch (error) {
      const reason = describe(error);
      return { type: neverConnected(error) ? 'not-sent' : 'no-answer', reason };
    }
  }

  async #call(request: HttpRequest, responseType: 'text' | 'stream', signal: AbortSignal): Promise<AxiosResponse> {
    return await this.#axios.request({
      method: request.method,
      url: request.path,
      params: request.query,
      data: request.body,
      ...(request.headers && { headers: request.headers }),
      responseType,
      signal,
    });
  }
}

function contentType(response: AxiosResponse): string {
  return headersOf(response)['content-type'] ?? '';
}

function headersOf(response: AxiosResponse): Record<string, string> {
  const entries: [string, unknown][] = Object.entries(response.headers);
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function toResponse(response: AxiosResponse, body: string): HttpResponse {
  return { type: 'response', status: response.status, headers: headersOf(response), body };
}

interface NodeFailure {
  code?: unknown;
  syscall?: unknown;
  message?: unknown;
  cause?: unknown;
  errors?: unknown;
}

/** Failures of finding, reaching or trusting the other side: no byte of the request left this machine. */
const connectCodes =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_INVALID_URL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS_CERT)/;

function neverConnected(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, syscall, cause, errors } = error as NodeFailure;
  if (Array.isArray(errors) && errors.length > 0) return errors.every(neverConnected);
  if (typeof code === 'string' && connectCodes.test(code)) return true;
  return syscall === 'connect' || syscall === 'getaddrinfo' || neverConnected(cause);
}

function describe(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown failure';
  const { code, message, cause } = error as NodeFailure;
  const text = typeof message === 'string' && message !== '' ? message : undefined;
  const word = typeof code === 'string' ? code : undefined;
  // Node's error for several failed addresses has a code but no message of its own.
  if (text === undefined && word === undefined) return cause === undefined ? 'unknown failure' : describe(cause);
  if (text === undefined || word === undefined) return text ?? word ?? 'unknown failure';
  return text.includes(word) ? text : `${text} (${word})`;
}

function isLoopback(url: string): boolean {
  return /^https?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/i.test(url);
}
