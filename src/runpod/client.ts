import type { AxiosAdapter } from 'axios';
import { jsonObject, redact } from './answer-text.js';
import { classify, unreadable } from './classify.js';
import { aborted, secretsIn, stockQuery, timeOf, unlessGone } from './client-helpers.js';
import { type Operation, RunPodError } from './errors.js';
import { LogFollower } from './follow-logs.js';
import { Http, type HttpRequest, type HttpResponse, type Outcome } from './http.js';
import { readPodLogs } from './logs.js';
import { parseBilling } from './parse-billing.js';
import { parseGpu, parseGpus, parsePod, parsePodPage } from './parse.js';
import { QuotaExhausted, RateLimiter } from './rate-limit.js';
import { SharedFlight } from './shared-flight.js';
import { type Clock, type Sleep, systemClock, systemSleep } from './time.js';
import {
  isAlive,
  type BilledDay,
  type Cloud,
  type CreatePodSpec,
  type GpuOffer,
  type LogSource,
  type Pod,
  type PodListing,
} from './types.js';

/** The part of pino's logger that is used here. */
export interface RunPodLogger {
  warn(facts: object, message: string): void;
}

export interface RunPodClientOptions {
  /** With the version, such as `https://api.runpod.io/v2`. */
  apiUrl: string;
  apiKey: string;
  userAgent: string;
  adapter?: AxiosAdapter | undefined;
  clock?: Clock | undefined;
  sleep?: Sleep | undefined;
  logger?: RunPodLogger | undefined;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

/** Milliseconds for a whole call, without the wait for the quota. */
const timeoutsMs: Record<Operation, number> = {
  // As in the sample of RunPod's specification: giving up earlier only makes more creates ambiguous.
  'create-pod': 60_000,
  'get-pod': 15_000,
  'list-pods': 30_000,
  'terminate-pod': 30_000,
  'pod-logs': 15_000,
  'pod-billing': 30_000,
  'list-gpus': 30_000,
  'get-gpu': 30_000,
};

/** One connection of a log that is followed; then the next one goes on. */
const followTimeoutMs = 300_000;
const followAgainMs = 2_000;

/** A list longer than this is taken for one that never ends. */
const maxPages = 1000;

/**
 * RunPod's REST v2. Every method throws {@link RunPodError} and nothing else; none repeats a request. The only hidden
 * wait is for the request quota. One instance in a process, for the quota and the listing are shared through it.
 */
export class RunPodClient {
  readonly #http: Http;
  readonly #limiter: RateLimiter;
  readonly #listing: SharedFlight<PodListing>;
  readonly #apiKey: string;
  readonly #clock: Clock;
  readonly #sleep: Sleep;
  readonly #logger: RunPodLogger | undefined;
  readonly #oddities = new Set<string>();

  constructor(options: RunPodClientOptions) {
    this.#apiKey = options.apiKey;
    this.#clock = options.clock ?? systemClock;
    this.#sleep = options.sleep ?? systemSleep;
    this.#logger = options.logger;
    this.#limiter = new RateLimiter({ clock: this.#clock, sleep: this.#sleep });
    this.#http = new Http({
      baseUrl: options.apiUrl,
      bearer: options.apiKey,
      userAgent: options.userAgent,
      sleep: this.#sleep,
      adapter: options.adapter,
    });
    this.#listing = new SharedFlight((signal, onBegun) => this.#readListing(signal, onBegun));
  }

  /**
   * `POST /pods`, once. On `ambiguous` a pod may exist: list by its name before trying again. `beforeSend` is asked after
   * any wait for the quota, just before the request leaves; what it throws ends the call.
   */
  async createPod(spec: CreatePodSpec, options: CallOptions & { beforeSend?: () => Promise<void> } = {}): Promise<Pod> {
    const { beforeSend, ...call } = options;
    const request = { method: 'POST' as const, path: '/pods', body: spec, ...call };
    const response = await this.#call('create-pod', request, secretsIn(spec.env), beforeSend);
    return this.#read('create-pod', response, (json) => parsePod(json, this.#onOdd));
  }

  /** `GET /pods/{id}`; undefined when RunPod knows no such pod, which alone does not prove that it ended. */
  async getPod(id: string, options: CallOptions = {}): Promise<Pod | undefined> {
    const request = { method: 'GET' as const, path: `/pods/${encodeURIComponent(id)}`, ...options };
    const response = await unlessGone(this.#call('get-pod', request));
    return response && this.#read('get-pod', response, (json) => parsePod(json, this.#onOdd));
  }

  /**
   * All pods of the account, of every page. Concurrent callers share one listing. With `begunAfter` (milliseconds since
   * the epoch, by this client's clock) the listing's first request left later than that, or after this call.
   */
  async listPods(options: CallOptions & { begunAfter?: number | undefined } = {}): Promise<PodListing> {
    try {
      return await this.#listing.join(options);
    } catch (error) {
      throw options.signal?.aborted ? aborted('list-pods') : error;
    }
  }

  /** `DELETE /pods/{id}`. Neither result proves that the pod is gone. */
  async terminatePod(id: string, options: CallOptions = {}): Promise<'accepted' | 'not-found'> {
    const request = { method: 'DELETE' as const, path: `/pods/${encodeURIComponent(id)}`, ...options };
    return (await unlessGone(this.#call('terminate-pod', request))) ? 'accepted' : 'not-found';
  }

  /** The catalog with stock, by default for one GPU in the Secure Cloud. */
  async listGpus(options: CallOptions & { cloud?: Cloud; count?: number } = {}): Promise<GpuOffer[]> {
    const request = {
      method: 'GET' as const,
      path: '/catalog/gpus',
      query: stockQuery(options),
      signal: options.signal,
    };
    return this.#read('list-gpus', await this.#call('list-gpus', request), parseGpus);
  }

  /** One GPU type with its stock; undefined when RunPod has no such id. */
  async getGpu(
    id: string,
    options: CallOptions & { cloud?: Cloud; count?: number } = {},
  ): Promise<GpuOffer | undefined> {
    const path = `/catalog/gpus/${encodeURIComponent(id)}`;
    const request = { method: 'GET' as const, path, query: stockQuery(options), signal: options.signal };
    const response = await unlessGone(this.#call('get-gpu', request));
    return response && this.#read('get-gpu', response, parseGpu);
  }

  /** RunPod's own bill: what each pod of the account cost on each UTC day, from the day of `from` to that of `to`. It lags. */
  async podBilling({ from, to, signal }: CallOptions & { from: Date; to: Date }): Promise<BilledDay[]> {
    const query = { startTime: from.toISOString(), endTime: to.toISOString(), bucketSize: 'day' };
    const request = { method: 'GET' as const, path: '/billing/pods', query, signal };
    return this.#read('pod-billing', await this.#call('pod-billing', request), parseBilling);
  }

  /** The newest lines of a pod's log, oldest first, each cut to 500 characters. Takes a few seconds: RunPod streams without an end. */
  async podLogs(id: string, options: CallOptions & { tail?: number; source?: LogSource } = {}): Promise<string[]> {
    await this.#permit('pod-logs', options.signal);
    const outcome = await readPodLogs(this.#http, id, {
      ...options,
      tail: options.tail ?? 50,
      timeoutMs: timeoutsMs['pod-logs'],
      sleep: this.#sleep,
    });
    if ('lines' in outcome) return outcome.lines.map((line) => redact(line, [this.#apiKey]));
    this.#check('pod-logs', outcome, []);
    throw new RunPodError({
      kind: 'bad-answer',
      operation: 'pod-logs',
      detail: 'the answer is no stream of log lines',
    });
  }

  /**
   * Every line of a pod's log from the newest `tail` on, as it is written, until the pod is gone. A stream that breaks is
   * taken up again where it broke.
   */
  async followPodLogs(
    id: string,
    options: CallOptions & { tail?: number; source?: LogSource; onLine: (line: string) => void },
  ): Promise<void> {
    const { signal, tail, source, onLine } = options;
    const follower = new LogFollower(onLine);
    const path = `/pods/${encodeURIComponent(id)}/logs`;
    for (;;) {
      await this.#permit('pod-logs', signal);
      const request = { method: 'GET' as const, path, query: { tail, source }, headers: follower.headers, signal };
      const outcome = await this.#http.stream({ ...request, timeoutMs: followTimeoutMs }, (lines) =>
        follower.read(lines),
      );
      if (signal?.aborted) throw aborted('pod-logs');
      if (outcome.type === 'response' && outcome.status !== 404) this.#check('pod-logs', outcome, []);
      const pod = await this.getPod(id, options);
      if (!pod || !isAlive(pod)) return;
      await this.#sleep(followAgainMs, signal);
    }
  }

  async #readListing(signal: AbortSignal, onBegun: (at: number) => void): Promise<PodListing> {
    const pods = new Map<string, Pod>();
    const cursors = new Set<string>();
    let begunAt: number | undefined;
    let apiTime: number | undefined;
    let cursor: string | undefined;
    do {
      await this.#permit('list-pods', signal);
      if (begunAt === undefined) {
        begunAt = this.#clock();
        onBegun(begunAt);
      }
      const outcome = await this.#send('list-pods', { method: 'GET', path: '/pods', query: { cursor }, signal });
      const response = this.#check('list-pods', outcome, []);
      apiTime = timeOf(response.headers.date);
      const { next, ...page } = this.#read('list-pods', response, (json) => {
        const read = parsePodPage(json, this.#onOdd);
        if (read.next !== undefined && (cursors.has(read.next) || cursors.size >= maxPages)) {
          throw new Error('a list of pods whose pages never end');
        }
        return read;
      });
      for (const pod of page.pods) pods.set(pod.id, pod);
      cursor = next;
      if (cursor !== undefined) cursors.add(cursor);
    } while (cursor !== undefined);
    return { pods: [...pods.values()], begunAt, endedAt: this.#clock(), apiTime };
  }

  async #call(
    operation: Operation,
    request: Omit<HttpRequest, 'timeoutMs'>,
    secrets: readonly string[] = [],
    beforeSend?: () => Promise<void>,
  ): Promise<HttpResponse> {
    await this.#permit(operation, request.signal);
    await beforeSend?.();
    return this.#check(operation, await this.#send(operation, request), secrets);
  }

  async #permit(operation: Operation, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#limiter.acquire(operation === 'terminate-pod' ? 'terminate' : 'other', signal);
    } catch (error) {
      if (!(error instanceof QuotaExhausted)) throw signal?.aborted ? aborted(operation) : error;
      const detail = 'the request quota is used up; nothing was sent';
      throw new RunPodError({ kind: 'rate-limited', operation, detail, retryAt: error.retryAt });
    }
  }

  async #send(operation: Operation, request: Omit<HttpRequest, 'timeoutMs'>): Promise<Outcome> {
    return await this.#http.send({ ...request, timeoutMs: timeoutsMs[operation] });
  }

  /** The usable answer, or the classified error; either way the quota learns from it. */
  #check(operation: Operation, outcome: Outcome, secrets: readonly string[]): HttpResponse {
    const failure = classify(operation, outcome, this.#clock());
    if (outcome.type === 'response') this.#limiter.observe({ ...outcome, usable: failure === undefined });
    if (failure !== undefined) {
      throw new RunPodError({ ...failure, detail: redact(failure.detail, [this.#apiKey, ...secrets]) });
    }
    return outcome as HttpResponse;
  }

  #read<T>(operation: Operation, response: HttpResponse, parse: (json: unknown) => T): T {
    try {
      return parse(jsonObject(response.body));
    } catch (error) {
      throw new RunPodError(unreadable(operation, response, `unexpected answer: ${(error as Error).message}`));
    }
  }

  readonly #onOdd = (what: string): void => {
    if (this.#oddities.has(what) || this.#oddities.size >= 100) return;
    this.#oddities.add(what);
    this.#logger?.warn({ shape: what }, 'RunPod answers in a shape that its specification does not have');
  };
}

export function createRunPodClient(options: RunPodClientOptions): RunPodClient {
  return new RunPodClient(options);
}
