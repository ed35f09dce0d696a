import { AxiosError, type AxiosAdapter, AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { createRunPodClient, type RunPodClientOptions } from '../../../src/runpod/index.js';

/** Time that moves only when a test moves it. */
export class VirtualTime {
  now = Date.UTC(2026, 0, 1);
  #timers: { at: number; wake: () => void }[] = [];

  readonly clock = () => this.now;

  readonly sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      const timer = { at: this.now + ms, wake: resolve };
      this.#timers.push(timer);
      signal?.addEventListener('abort', () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        reject(new Error('sleep aborted'));
      });
    });
  };

  get sleeping(): number {
    return this.#timers.length;
  }

  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      await settle();
      const next = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.now = Math.max(this.now, next.at);
      next.wake();
    }
    this.now = until;
    await settle();
  }
}

/** Lets every promise that can go on do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export interface FakeAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** Sent as JSON unless it is a string already. */
  body?: unknown;
}

export type Handler = (request: {
  method: string;
  path: string;
  query: Record<string, unknown>;
  body: unknown;
  headers: Record<string, unknown>;
  signal: AbortSignal;
}) => FakeAnswer | Promise<FakeAnswer>;

/** An axios adapter in place of the network. A handler that throws makes the connection fail with that code. */
export function adapterOf(handler: Handler): AxiosAdapter {
  return async (config: InternalAxiosRequestConfig) => {
    const signal = config.signal as AbortSignal;
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(new AxiosError('canceled', AxiosError.ERR_CANCELED, config));
      });
    });
    const { query, body } = { query: (config.params ?? {}) as Record<string, unknown>, body: config.data as unknown };
    const answer = await Promise.race([
      Promise.resolve().then(() =>
        handler({
          method: (config.method ?? 'get').toUpperCase(),
          path: config.url ?? '',
          query,
          body: typeof body === 'string' ? (JSON.parse(body) as unknown) : body,
          headers: config.headers.toJSON(),
          signal,
        }),
      ),
      aborted,
    ]);
    const data = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? '');
    return {
      status: answer.status ?? 200,
      statusText: '',
      headers: new AxiosHeaders(answer.headers ?? {}),
      config,
      data: answer.body === undefined ? '' : data,
    };
  };
}

export const apiKey = 'rpa_TOPSECRETKEY0123456789';

export function clientWith(handler: Handler, options: Partial<RunPodClientOptions> = {}) {
  const time = new VirtualTime();
  const client = createRunPodClient({
    apiUrl: 'https://api.runpod.test/v2',
    apiKey,
    userAgent: 'devloop-test/1',
    adapter: adapterOf(handler),
    clock: time.clock,
    sleep: time.sleep,
    ...options,
  });
  return { client, time };
}

export async function failureOf<E extends Error>(call: Promise<unknown>): Promise<E> {
  try {
    await call;
  } catch (error) {
    return error as E;
  }
  throw new Error('expected a failure');
}

/** The pod of RunPod's own example, shortened. */
export const examplePod = {
  id: '7h9k2m4n6p',
  name: 'pytorch-training',
  image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
  args: '',
  disk: 50,
  ports: ['8888/http', '22/tcp'],
  env: { MODEL_NAME: 'llama-3' },
  registry: null,
  status: 'RUNNING',
  actions: ['stop', 'restart', 'terminate'],
  mounts: {},
  gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
  cloud: 'SECURE',
  dataCenterId: 'US-KS-2',
  cudaVersion: '12.8',
  template: null,
  cost: 0.44,
  locked: false,
  globalNetworking: { enabled: false },
  runtime: { uptime: 3600 },
  createdAt: '2026-06-01T12:00:00Z',
  startedAt: '2026-06-01T12:02:00Z',
};
