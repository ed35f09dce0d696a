import type { Kernel } from '../kernel/kernel.js';
import type { Cloud } from './cloud.js';
import type { Server, WireRequest } from './network.js';
import { PodSwitch } from './pod-switch.js';
import type { PodTraits } from './pod-traits.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const MODEL_BYTES = 1000;
/** Longer than a boot takes. */
const LATE_SWITCH_MS = 15_000;

/** What happens on a pod that others may wait for. */
export type PodNews = 'ready' | 'use-begins' | 'use-ends';

/** Header of a question to the model: who asks, for the invariants. */
export const ASKER = 'x-asker';

interface Flight {
  /** Whose question the model works on. */
  readonly asker: string | undefined;
  readonly abort: () => void;
}

/** The GPU machine of one pod: gate, model server and dead-man's switch, as `pod/` runs them. */
export class PodMachine {
  onNews: (news: PodNews) => void = () => undefined;
  readonly watchdog: PodSwitch;
  /** By the true clock: what the invariants go by. Undefined before the first. */
  readyAtMs: number | undefined;
  lastUseEndMs: number | undefined;
  /** Nothing answers on it, whatever RunPod says of it. */
  isUnreachable = false;
  /** No container of it runs, and none is started: it was stopped, or lost with its host while RunPod goes on showing it. */
  isStopped = false;
  /** Its gate answers, but not in time. */
  isSlow = false;
  /** Its gate knows another token than we do. */
  refusesToken = false;
  /** Requests that it refused for their token. */
  refused = 0;
  /** Somebody who knows its id has asked its gate. */
  wasAsked = false;
  /** How many questions each asker has asked. */
  readonly questions = new Map<string, number>();
  /** The beginning of each asker's first question. */
  readonly begunAtMs = new Map<string, number>();
  /** The end of each asker's last question. */
  readonly answeredAtMs = new Map<string, number>();
  private generation = 0;
  private serial = 0;
  private serving = false;
  private modelReadyAtMs = Infinity;
  /** Of the container that runs. */
  environment: Readonly<Record<string, string>> = {};
  private readonly flights = new Map<number, Flight>();
  /** Lost with the container: there is no volume. */
  private disk = { ready: false, hasModel: false };

  constructor(
    private readonly kernel: Kernel,
    private readonly cloud: Cloud,
    readonly podId: string,
    readonly traits: PodTraits,
  ) {
    this.watchdog = new PodSwitch(kernel, cloud, this);
    if (traits.watchdog === 'none' || traits.watchdog === 'unarmed') this.watchdog.breakForGood();
  }

  get name(): string {
    return this.cloud.pod(this.podId)?.name ?? '';
  }

  /** No container of it runs, or nobody reaches it. */
  get isGone(): boolean {
    return this.isStopped || this.isUnreachable;
  }

  get inFlight(): number {
    return this.flights.size;
  }

  /** Whose questions its model works on, one for each. */
  get askers(): string[] {
    return [...this.flights.values()].flatMap(({ asker }) => asker ?? []);
  }

  get isReady(): boolean {
    return this.disk.ready;
  }

  startContainer(generation: number, bootSeconds: number): void {
    this.generation = generation;
    this.isStopped = false;
    this.environment = this.cloud.environmentOf(this.podId);
    this.disk = { ready: false, hasModel: this.kernel.chance(0.8) };
    this.modelReadyAtMs = this.kernel.nowMs + bootSeconds * 1000;
    this.kernel.at(this.kernel.nowMs + (bootSeconds * 1000) / 3, () => {
      if (generation !== this.generation) return;
      this.serving = true;
      if (this.traits.watchdog === 'late')
        this.kernel.at(this.kernel.nowMs + LATE_SWITCH_MS, () => {
          if (generation === this.generation) this.watchdog.start();
        });
      else this.watchdog.start();
    });
  }

  /** @param isLast the pod is no more */
  stopContainer(isLast: boolean): void {
    this.generation = -1;
    this.serving = false;
    this.breakFlights();
    this.watchdog.stop();
    if (isLast) this.isUnreachable = true;
    else this.isStopped = true;
  }

  /** Its main process dies; RunPod starts the container anew. */
  crash(): void {
    const { generation } = this;
    if (generation < 0) return;
    this.stopContainer(false);
    this.cloud.containerEnded(this.podId, generation);
  }

  /** The host is gone or cut off: no process of the pod runs any more, and RunPod does not notice. */
  vanish(): void {
    this.isUnreachable = true;
    this.stopContainer(false);
  }

  breakFlights(): void {
    for (const flight of [...this.flights.values()]) flight.abort();
  }

  readonly serve: Server = (request, answer, onGone) => {
    this.wasAsked = true;
    if (this.isUnreachable) return;
    if (!this.serving) {
      answer({ status: 502, body: '<html>bad gateway</html>', headers: { 'content-type': 'text/html' } });
      return;
    }
    if (this.isSlow) {
      this.kernel.at(this.kernel.nowMs + 9_000, () => {
        answer({ status: 524, body: '<html>timeout</html>' });
      });
      return;
    }
    const { pathname: path } = new URL(request.url);
    if (path === '/healthz') {
      answer({ status: 200, body: 'ok' });
      return;
    }
    const token = this.environment.DEVLOOP_GATE_TOKEN;
    if (this.refusesToken || request.headers.authorization !== `Bearer ${token}`) {
      this.refused += 1;
      answer({ status: 401, body: '{"error":"who are you?"}', headers: JSON_TYPE });
      return;
    }
    if (path === '/devloop/status') {
      answer({ status: 200, body: JSON.stringify(this.status()), headers: JSON_TYPE });
      return;
    }
    this.use(path, request, answer, onGone);
  };

  /** An authenticated request: a use from its beginning to its end. */
  private use(path: string, request: WireRequest, answer: Parameters<Server>[1], onGone: Parameters<Server>[2]): void {
    const id = this.serial++;
    const end = (): boolean => {
      if (!this.flights.delete(id)) return false;
      this.noteUse();
      if (asker !== undefined) this.answeredAtMs.set(asker, this.kernel.nowMs);
      this.onNews('use-ends');
      return true;
    };
    const asker = request.headers[ASKER];
    if (asker !== undefined) {
      this.questions.set(asker, (this.questions.get(asker) ?? 0) + 1);
      if (!this.begunAtMs.has(asker)) this.begunAtMs.set(asker, this.kernel.nowMs);
    }
    this.flights.set(id, {
      asker,
      abort: () => {
        if (end()) answer('cut');
      },
    });
    this.onNews('use-begins');
    onGone(() => {
      end();
    });
    const { seconds, status, body } = this.work(path, request);
    const reply = (): void => {
      if (end()) answer({ status, body: typeof body === 'string' ? body : JSON.stringify(body), headers: JSON_TYPE });
    };
    if (seconds === 0) reply();
    else this.kernel.at(this.kernel.nowMs + seconds * 1000, reply);
  }

  private noteUse(): void {
    this.lastUseEndMs = this.kernel.nowMs;
    this.watchdog.noteUse();
  }

  /** What the model server makes of a request, and how long it takes. */
  private work(path: string, request: WireRequest): { seconds: number; status: number; body: unknown } {
    const model = this.environment.DEVLOOP_MODEL;
    const isUp = this.kernel.nowMs >= this.modelReadyAtMs;
    const size = { size: MODEL_BYTES, size_vram: MODEL_BYTES * this.traits.vramShare };
    const known = this.disk.hasModel ? [{ name: model, ...size }] : [];
    switch (path) {
      case '/devloop/touch':
        if (request.body?.includes('"ready":true')) this.becomeReady();
        return { seconds: 0, status: 204, body: '' };
      case '/api/version':
        return isUp
          ? { seconds: 0, status: 200, body: { version: '0' } }
          : { seconds: 0, status: 502, body: { error: 'the model server does not answer' } };
      case '/api/tags':
        return { seconds: 0, status: 200, body: { models: known } };
      case '/api/ps':
        return { seconds: 0, status: 200, body: { models: known } };
      case '/api/pull':
        this.disk.hasModel = true;
        return { seconds: 3 + 10 * this.kernel.random(), status: 200, body: '{"status":"success"}\n' };
      case '/api/generate':
        return { seconds: 1, status: 200, body: { done: true } };
      case '/api/chat':
        return { seconds: Number(request.query.seconds ?? 5), status: isUp ? 200 : 502, body: { done: true } };
      default:
        return { seconds: 0, status: 404, body: { error: 'no such path' } };
    }
  }

  private becomeReady(): void {
    this.disk.ready = true;
    this.readyAtMs ??= this.kernel.nowMs;
    this.onNews('ready');
  }

  private status(): object {
    const env = this.environment;
    return {
      podId: this.podId,
      podName: this.name,
      api: 'ollama',
      model: env.DEVLOOP_MODEL ?? '',
      modelFile: false,
      gpuCount: Number(env.RUNPOD_GPU_COUNT ?? 0),
      gpuVisible: true,
      maxParallel: Number(env.DEVLOOP_MAX_PARALLEL ?? 1),
      deadman: this.watchdog.status(),
      startedAt: new Date(this.kernel.nowMs).toISOString(),
    };
  }
}
