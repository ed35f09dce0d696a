import { Readable } from 'node:stream';
import { AxiosError, AxiosHeaders, type AxiosAdapter, type InternalAxiosRequestConfig } from 'axios';
import { EmulatorCore } from '../../emulator/core/core.js';
import type { LedgerEntry } from '../../emulator/core/billing.js';
import type { CoreReply } from '../../emulator/core/http.js';
import type { PodRecord } from '../../emulator/core/pod.js';
import { seededRandom } from '../../emulator/core/random.js';
import { createRunPodClient, type RunPodClient } from '../../src/runpod/index.js';
import { VirtualTime } from './virtual-time.js';

const API_KEY = 'rpa_VIRTUALKEY';
/** A call takes time, so that its beginning and its end are different moments. */
const LATENCY_MS = 20;

export interface SeenRequest {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
}

/** RunPod without a network: the emulator's pure core under virtual time, reached through the real client. */
export class VirtualRunPod {
  readonly time = new VirtualTime();
  readonly client: RunPodClient;
  /** Every call that reached RunPod, newest last. */
  readonly requests: SeenRequest[] = [];
  /** Answers of HTTP 429. */
  refusedForQuota = 0;
  /** Container log by pod id. */
  readonly logs = new Map<string, string[]>();
  private readonly core: EmulatorCore;

  constructor(options: { readonly quota?: boolean } = {}) {
    this.core = new EmulatorCore({ apiKey: API_KEY, random: seededRandom(7) });
    if (options.quota !== true) this.settings({ quota: null });
    this.client = createRunPodClient({
      apiUrl: 'http://runpod.test/v2',
      apiKey: API_KEY,
      userAgent: 'devloop-test/1',
      adapter: this.adapter,
      clock: this.time.clock,
      sleep: this.time.sleep,
    });
  }

  /** As `POST /admin/faults` takes it. */
  fault(fault: Record<string, unknown>): void {
    this.admin('POST', '/admin/faults', fault);
  }

  settings(change: Record<string, unknown>): void {
    this.admin('PATCH', '/admin/settings', change);
  }

  /** A pod that somebody else made. @returns its id */
  rent(name: string): string {
    const pod = { name, image: 'i', gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 }, cloud: 'SECURE', disk: 5 };
    return (this.admin('POST', '/v2/pods', pod) as { id: string }).id;
  }

  /** Somebody else ends a pod. */
  end(podId: string): void {
    this.admin('DELETE', `/v2/pods/${podId}`);
  }

  /** Pods that bill now, with what they were rented with. */
  get alive(): Readonly<PodRecord>[] {
    this.core.advance(this.time.nowMs);
    return this.core.livePods();
  }

  get aliveIds(): string[] {
    return this.alive.map(({ id }) => id);
  }

  /** RunPod's bill: every pod that ever was. */
  get bill(): LedgerEntry[] {
    return this.core.ledger(this.time.nowMs);
  }

  billOf(podId: string): LedgerEntry {
    const entry = this.bill.find(({ id }) => id === podId);
    if (!entry) throw new Error(`no pod ${podId} was ever rented`);
    return entry;
  }

  calls(method: string, path = ''): SeenRequest[] {
    return this.requests.filter((request) => request.method === method && request.path.includes(path));
  }

  /** Complete listings: a later page of one has a cursor and is not among them. */
  get listings(): SeenRequest[] {
    return this.requests.filter(({ method, path }) => method === 'GET' && path === '/v2/pods');
  }

  private admin(method: string, path: string, body?: unknown): unknown {
    const headers = { authorization: `Bearer ${API_KEY}` };
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = this.core.handle({ method, path, query: {}, headers, ...text }, this.time.nowMs);
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`);
    return reply.body === '' ? undefined : JSON.parse(reply.body);
  }

  private readonly adapter: AxiosAdapter = async (config: InternalAxiosRequestConfig) => {
    const signal = config.signal as AbortSignal;
    const { pathname: path } = new URL(`${config.baseURL ?? ''}${config.url ?? ''}`);
    const method = (config.method ?? 'get').toUpperCase();
    await this.orAborted(this.time.sleep(LATENCY_MS / 2, signal), config);
    const query = Object.fromEntries(
      Object.entries((config.params ?? {}) as Record<string, unknown>)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name, String(value)]),
    );
    const suffix = query.cursor === undefined ? '' : '?cursor';
    this.requests.push({ atMs: this.time.nowMs, method, path: path + suffix });
    const headers = Object.fromEntries(
      Object.entries(config.headers.toJSON()).map(([name, value]) => [name.toLowerCase(), String(value)]),
    );
    const body = typeof config.data === 'string' ? { body: config.data } : {};
    const reply = this.core.handle({ method, path, query, headers, ...body }, this.time.nowMs);
    if (reply.status === 429) this.refusedForQuota += 1;
    await this.orAborted(this.time.sleep(LATENCY_MS / 2, signal), config);
    return {
      status: reply.status,
      statusText: '',
      headers: new AxiosHeaders(reply.headers),
      config,
      data: await this.dataOf(reply, config),
    };
  };

  private async dataOf(reply: CoreReply, config: InternalAxiosRequestConfig): Promise<unknown> {
    switch (reply.delivery) {
      case 'answer':
        return reply.body;
      case 'cut':
        throw new AxiosError('socket hang up', 'ECONNRESET', config);
      case 'hang':
        // For ever: only the caller's own patience ends it.
        return this.orAborted(this.time.sleep(1e12, config.signal as AbortSignal), config);
      case 'log-stream': {
        const lines = this.logs.get(reply.logs?.podId ?? '') ?? [];
        return Readable.from(lines.map((line) => `data: ${JSON.stringify({ line })}\n\n`));
      }
    }
  }

  private async orAborted<T>(work: Promise<T>, config: InternalAxiosRequestConfig): Promise<T> {
    try {
      return await work;
    } catch {
      throw new AxiosError('canceled', AxiosError.ERR_CANCELED, config);
    }
  }
}
