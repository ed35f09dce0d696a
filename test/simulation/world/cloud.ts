import type { LedgerEntry } from '../../../emulator/core/billing.js';
import { EmulatorCore } from '../../../emulator/core/core.js';
import type { CoreReply } from '../../../emulator/core/http.js';
import type { PodRecord } from '../../../emulator/core/pod.js';
import type { Effect } from '../../../emulator/core/world.js';
import { seededRandom } from '../../../emulator/core/random.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Server, WireReply } from './network.js';
import { PodMachine, type PodNews } from './pod-machine.js';
import { SOUND, type PodTraits } from './pod-traits.js';

export const API_URL = 'http://runpod.sim/v2';
export const PROXY_URL = 'http://runpod.sim/proxy/{podId}/{port}';
export const ACCOUNT_KEY = 'rpa_SIMULATED';
const CONSOLE_AGAIN_MS = 5_000;

/** One call that changed or could change something. */
export interface SeenCall {
  readonly method: string;
  readonly path: string;
  readonly byAccount: boolean;
  readonly body: string | undefined;
  /** Somebody with the account's key asks for a pod. */
  readonly isCreate: boolean;
  /** The pod that a create made, or that the path names. */
  readonly podId: string | undefined;
}

/** RunPod: the emulator's pure core under virtual time, its pods as machines beside it. */
export class Cloud {
  readonly machines = new Map<string, PodMachine>();
  /** What becomes of a pod that is about to boot: set by the world for each seed. */
  bootSeconds: () => number = () => 5;
  traitsOf: (podName: string) => PodTraits = () => SOUND;
  /** Before the account's calls take effect, and after. */
  beforeEnd: (podId: string) => void = () => undefined;
  readonly callWatchers: ((call: SeenCall) => void)[] = [];
  readonly podWatchers: ((news: PodNews, machine: PodMachine) => void)[] = [];
  private readonly core: EmulatorCore;
  private wakeAtMs = Infinity;

  constructor(private readonly kernel: Kernel) {
    this.core = new EmulatorCore({
      apiKey: ACCOUNT_KEY,
      random: seededRandom(kernel.integer(0, 2 ** 31)),
      emit: (effect) => {
        this.carryOut(effect);
      },
    });
    this.settings({ quota: null });
  }

  /** As `POST /admin/faults` takes it. @returns how often it has struck, to be asked later */
  fault(fault: Record<string, unknown>): () => number {
    const { id } = this.admin('POST', '/admin/faults', fault) as { id: number };
    return () => {
      const { faults } = this.admin('GET', '/admin/faults') as { faults: { id: number; struck: number }[] };
      // The emulator forgets a fault that is used up.
      return faults.find((entry) => entry.id === id)?.struck ?? 1;
    };
  }

  clearFaults(): void {
    this.admin('DELETE', '/admin/faults');
  }

  settings(change: Record<string, unknown>): void {
    this.admin('PATCH', '/admin/settings', change);
  }

  /** A pod of somebody else. @returns its id */
  rent(name: string): string {
    const pod = { name, image: 'i', gpu: { id: 'NVIDIA GeForce RTX 3090', count: 1 }, cloud: 'SECURE', disk: 5 };
    return (this.admin('POST', '/v2/pods', pod) as { id: string }).id;
  }

  /** Its owner stops a pod of somebody else, whose disk goes on costing. */
  letStand(podId: string): void {
    this.admin('POST', `/v2/pods/${podId}/action`, { action: 'stop' });
  }

  /** Somebody else ends it, or stops it, in RunPod's console. */
  act(podId: string, action: 'terminate' | 'stop'): void {
    if (!this.core.livePod(podId)) return;
    const headers = { authorization: `Bearer ${ACCOUNT_KEY}` };
    const path = `/v2/pods/${podId}/action`;
    const { status } = this.serve('POST', path, headers, {}, JSON.stringify({ action }));
    if (status < 300) return;
    // People try again too.
    this.kernel.at(this.kernel.nowMs + CONSOLE_AGAIN_MS, () => {
      this.act(podId, action);
    });
  }

  get alive(): Readonly<PodRecord>[] {
    this.advance();
    return this.core.livePods();
  }

  pod(podId: string): Readonly<PodRecord> | undefined {
    return this.core.pod(podId);
  }

  environmentOf(podId: string): Record<string, string> {
    const pod = this.core.pod(podId);
    return pod ? this.core.environmentOf(pod) : {};
  }

  containerEnded(podId: string, generation: number): void {
    this.core.containerEnded(podId, generation, 'exit code 137', this.kernel.nowMs);
    this.wakeLater();
  }

  get ledger(): LedgerEntry[] {
    return this.core.ledger(this.kernel.nowMs);
  }

  /** RunPod's API as the network reaches it. */
  readonly api: Server = (request, answer) => {
    const { pathname } = new URL(request.url);
    const reply = this.serve(request.method, pathname, request.headers, request.query, request.body);
    if (reply.delivery === 'hang') return;
    answer(reply.delivery === 'cut' ? 'cut' : withDate(reply, this.kernel.nowMs));
  };

  /** RunPod's proxy, and behind it the pods' gates. */
  readonly proxy: Server = (request, answer, onGone) => {
    const [, , podId = '', port = '', ...rest] = new URL(request.url).pathname.split('/');
    const path = `/${rest.join('/')}`;
    const decision = this.core.proxy(podId, Number(port), { method: request.method, path }, this.kernel.nowMs);
    this.wakeLater();
    if (decision.kind === 'forward') {
      const machine = this.machines.get(podId);
      machine?.serve({ ...request, url: `http://gate${path}` }, answer, onGone);
      return;
    }
    const { delivery, status, body, headers } = decision.reply;
    if (delivery === 'hang') return;
    answer(delivery === 'cut' ? 'cut' : { status, body, headers });
  };

  /** One call to the API, without a network. */
  serve(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    query: Readonly<Record<string, string>> = {},
    body?: string,
  ): CoreReply {
    const { nowMs } = this.kernel;
    const request = { method, path, query, headers, ...(body !== undefined && { body }) };
    const byAccount = headers.authorization === `Bearer ${ACCOUNT_KEY}`;
    const named = /^\/v2\/pods\/([^/]+)/.exec(path)?.[1];
    if (byAccount && method === 'DELETE' && named !== undefined) this.beforeEnd(named);
    const reply = this.core.handle(request, nowMs);
    this.wakeLater();
    if (method !== 'GET') {
      const isCreate = method === 'POST' && path === '/v2/pods';
      const newest = isCreate ? this.core.account().pods.at(-1) : undefined;
      const podId = named ?? (newest?.createdAtMs === nowMs ? newest.id : undefined);
      const call = { method, path, byAccount, isCreate: byAccount && isCreate, podId, body };
      for (const watch of this.callWatchers) watch(call);
    }
    return reply;
  }

  private admin(method: string, path: string, body?: unknown): unknown {
    const headers = { authorization: `Bearer ${ACCOUNT_KEY}` };
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = this.core.handle({ method, path, query: {}, headers, ...text }, this.kernel.nowMs);
    this.wakeLater();
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`);
    return reply.body === '' ? undefined : JSON.parse(reply.body);
  }

  private carryOut(effect: Effect): void {
    if (effect.type === 'start-container') {
      const { podId, generation } = effect;
      // After the core has finished what it is doing.
      this.kernel.at(this.kernel.nowMs, () => {
        // Pods of others run what they run.
        if (this.core.livePod(podId)?.env.DEVLOOP_READY_BY === undefined) return;
        const machine = this.machines.get(podId) ?? this.newMachine(podId);
        machine.startContainer(generation, this.bootSeconds());
      });
    } else if (effect.type === 'stop-container') {
      const isLast = effect.reason === 'terminate';
      const machine = this.machines.get(effect.podId);
      machine?.stopContainer(isLast);
    }
  }

  private newMachine(podId: string): PodMachine {
    const machine = new PodMachine(this.kernel, this, podId, this.traitsOf(this.core.pod(podId)?.name ?? ''));
    machine.onNews = (news) => {
      for (const watch of this.podWatchers) watch(news, machine);
    };
    this.machines.set(podId, machine);
    return machine;
  }

  private advance(): void {
    this.core.advance(this.kernel.nowMs);
  }

  /** The core acts by itself at moments that it names. */
  private wakeLater(): void {
    const dueMs = this.core.nextDueMs();
    if (!Number.isFinite(dueMs) || dueMs >= this.wakeAtMs) return;
    this.wakeAtMs = dueMs;
    this.kernel.at(dueMs, () => {
      if (this.wakeAtMs === dueMs) this.wakeAtMs = Infinity;
      this.advance();
      this.wakeLater();
    });
  }
}

function withDate(reply: CoreReply, nowMs: number): WireReply {
  const date = new Date(nowMs).toUTCString();
  return { status: reply.status, body: reply.body, headers: { ...reply.headers, date } };
}
