import { z } from 'zod';
import { handleAdmin } from './admin.js';
import { ledgerEntry, type LedgerEntry } from './billing.js';
import { edgeReply } from './edge.js';
import { FaultBox } from './faults.js';
import { edgePage, Problem, problemReply, type CoreReply, type CoreRequest } from './http.js';
import { applyDue, containerEnded, dueAtMs } from './lifecycle.js';
import { httpPorts, isAlive, podRecordSchema, type PodRecord } from './pod.js';
import { injectedEnvironment } from './pod-view.js';
import { randomUuid, type Random } from './random.js';
import { RequestLog } from './request-log.js';
import { defaultSettings, type Settings } from './settings.js';
import { templateSchema } from './templates.js';
import { V2Api } from './v2-api.js';
import type { Effect, World } from './world.js';

/** The account as it is kept on disk: what RunPod knows about it, without faults and settings of this emulator. */
export const accountSchema = z.strictObject({ pods: z.array(podRecordSchema), templates: z.array(templateSchema) });
export type Account = z.infer<typeof accountSchema>;

export interface CoreOptions {
  readonly apiKey: string;
  /** Ids, keys and nothing else come from it; seeded faults have dice of their own. */
  readonly random: Random;
  readonly emit?: (effect: Effect) => void;
  /** The account to go on with; without it a new one. */
  readonly account?: Account;
}

/** `forward`: the shell passes the request on to the pod's service. */
export type ProxyDecision = { readonly kind: 'forward' } | { readonly kind: 'reply'; readonly reply: CoreReply };

/**
 * RunPod's REST v2 as a pure machine: calls and moments go in, replies and effects come out. It reads no clock, does no
 * I/O and draws no luck of its own. Moments are milliseconds since the epoch; one before an earlier one counts as that.
 */
export class EmulatorCore {
  private readonly world: World;
  private readonly requests = new RequestLog();
  private readonly v2: V2Api;
  private nowMs = 0;

  constructor(options: CoreOptions) {
    const { account = { pods: [], templates: [] } } = options;
    this.world = {
      pods: new Map(account.pods.map((pod) => [pod.id, structuredClone(pod)])),
      templates: new Map(account.templates.map((template) => [template.id, template])),
      faults: new FaultBox(),
      random: options.random,
      emit: options.emit ?? (() => undefined),
      settings: defaultSettings(),
      balanceSetAtMs: 0,
    };
    this.v2 = new V2Api(this.world, options.apiKey, this.requests);
  }

  /** Answers one call at once. Effects that it has are emitted before it returns. */
  handle(request: CoreRequest, nowMs: number): CoreReply {
    this.advance(nowMs);
    const reply = this.reply(request);
    return { ...reply, headers: { ...reply.headers, 'x-request-id': randomUuid(this.world.random) } };
  }

  /** Lets everything happen that is due by then, each at its own moment and in its order. */
  advance(nowMs: number): void {
    this.nowMs = Math.max(this.nowMs, nowMs);
    for (;;) {
      const next = this.nextDue();
      if (!next || next.atMs > this.nowMs) return;
      applyDue(this.world, next.pod, next.atMs);
    }
  }

  /** When `advance` has something to do next; Infinity for never. */
  nextDueMs(): number {
    return this.nextDue()?.atMs ?? Infinity;
  }

  /** News from outside: the main process of that container ended. Late news about an earlier container changes nothing. */
  containerEnded(podId: string, generation: number, how: string, nowMs: number): void {
    this.advance(nowMs);
    const pod = this.world.pods.get(podId);
    if (pod?.container.generation !== generation || pod.container.upSinceMs === null) return;
    containerEnded(this.world, pod, how, this.nowMs);
  }

  /** What RunPod's proxy does with a request for a port of a pod. It asks for no key. */
  proxy(podId: string, port: number, request: Pick<CoreRequest, 'method' | 'path'>, nowMs: number): ProxyDecision {
    this.advance(nowMs);
    const pod = this.world.pods.get(podId);
    if (!pod || !isAlive(pod) || !httpPorts(pod).includes(port)) return { kind: 'reply', reply: edgePage(404) };
    const target = { operation: 'proxy' as const, ...request, podId, podName: pod.name };
    const strike = this.world.faults.take('proxy', target, this.nowMs);
    if (strike) return { kind: 'reply', reply: edgeReply(strike) };
    if (pod.container.upSinceMs === null) return { kind: 'reply', reply: edgePage(502) };
    return { kind: 'forward' };
  }

  /** A pod as the account keeps it, an ended one too. Not to be changed from outside. */
  pod(podId: string): Readonly<PodRecord> | undefined {
    return this.world.pods.get(podId);
  }

  livePod(podId: string): Readonly<PodRecord> | undefined {
    const pod = this.world.pods.get(podId);
    return pod && isAlive(pod) ? pod : undefined;
  }

  livePods(): Readonly<PodRecord>[] {
    return [...this.world.pods.values()].filter(isAlive);
  }

  /** The environment of a pod's container: the caller's variables, then RunPod's. */
  environmentOf(pod: Readonly<PodRecord>): Record<string, string> {
    return { ...pod.env, ...injectedEnvironment(pod) };
  }

  get settings(): Readonly<Settings> {
    return this.world.settings;
  }

  ledger(nowMs: number): LedgerEntry[] {
    return [...this.world.pods.values()].map((pod) => ledgerEntry(pod, nowMs));
  }

  account(): Account {
    return { pods: [...this.world.pods.values()], templates: [...this.world.templates.values()] };
  }

  private nextDue(): { pod: PodRecord; atMs: number } | undefined {
    let next: { pod: PodRecord; atMs: number } | undefined;
    for (const pod of this.world.pods.values()) {
      const atMs = dueAtMs(pod);
      if (atMs < (next?.atMs ?? Infinity)) next = { pod, atMs };
    }
    return next;
  }

  private reply(request: CoreRequest): CoreReply {
    const { world, requests, nowMs } = this;
    try {
      if (request.path.startsWith('/admin/')) return handleAdmin({ world, requests, request, nowMs });
      return this.v2.handle(request, nowMs);
    } catch (error) {
      if (error instanceof Problem) return problemReply(error);
      throw error;
    }
  }
}
