import { EmulatorCore, type Account } from '../../emulator/core/core.js';
import type { CoreReply } from '../../emulator/core/http.js';
import { seededRandom } from '../../emulator/core/random.js';
import type { Effect } from '../../emulator/core/world.js';

export const rtx4090 = 'NVIDIA GeForce RTX 4090';
export const capacityText =
  'There are no longer any instances available with the requested specifications. Please refresh and try again.';

/** A body that RunPod's specification allows, with the given changes. */
export const podBody = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'test-pod',
  image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
  gpu: { id: rtx4090, count: 1 },
  disk: 40,
  ports: ['11434/http', '22/tcp'],
  env: { MODEL: 'tiny' },
  ...change,
});

export interface Reply {
  status: number;
  headers: Readonly<Record<string, string>>;
  delivery: CoreReply['delivery'];
  json: Record<string, unknown>;
}

export type PodJson = Record<string, unknown> & { id: string; name: string; status: string };

export interface CallOptions {
  key?: string | null;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  raw?: string;
}

/** The core under a clock that stands still until a test moves it. It begins at the start of a minute, hour and day. */
export class CoreWorld {
  readonly startMs = Date.parse('2026-06-01T00:00:00.000Z');
  nowMs = this.startMs;
  readonly effects: Effect[] = [];
  readonly core: EmulatorCore;

  constructor(options: { account?: Account; seed?: number; quota?: boolean } = {}) {
    this.core = new EmulatorCore({
      apiKey: 'key',
      random: seededRandom(options.seed ?? 1),
      emit: (effect) => this.effects.push(effect),
      ...(options.account ? { account: options.account } : {}),
    });
    if (options.quota !== true) this.settings({ quota: null });
  }

  /** Moves the clock on and lets the core act. */
  pass(seconds: number): void {
    this.nowMs += seconds * 1000;
    this.core.advance(this.nowMs);
  }

  call(method: string, path: string, body?: unknown, options: CallOptions = {}): Reply {
    const key = options.key === undefined ? 'key' : options.key;
    const text = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const reply = this.core.handle(
      {
        method,
        path,
        query: options.query ?? {},
        headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...options.headers },
        ...(text === undefined ? {} : { body: text }),
      },
      this.nowMs,
    );
    const isJson = reply.headers['content-type']?.includes('json') === true;
    return {
      status: reply.status,
      headers: reply.headers,
      delivery: reply.delivery,
      json: isJson ? (JSON.parse(reply.body) as Record<string, unknown>) : { text: reply.body },
    };
  }

  settings(change: Record<string, unknown>): void {
    const reply = this.call('PATCH', '/admin/settings', change);
    if (reply.status !== 200) throw new Error(JSON.stringify(reply.json));
  }

  fault(fault: Record<string, unknown>): void {
    const reply = this.call('POST', '/admin/faults', fault);
    if (reply.status !== 201) throw new Error(JSON.stringify(reply.json));
  }

  create(change: Record<string, unknown> = {}): PodJson {
    const reply = this.call('POST', '/v2/pods', podBody(change));
    if (reply.status !== 201) throw new Error(JSON.stringify(reply.json));
    return reply.json as PodJson;
  }

  /** A pod that runs: created, and the boot's time has passed. */
  running(change: Record<string, unknown> = {}): PodJson {
    const { id } = this.create(change);
    this.pass(1);
    return this.get(id);
  }

  get(id: string): PodJson {
    const reply = this.call('GET', `/v2/pods/${id}`);
    if (reply.status !== 200) throw new Error(JSON.stringify(reply.json));
    return reply.json as PodJson;
  }

  list(query: Record<string, string> = {}): { pods: PodJson[]; pagination: { nextCursor: string | null } } {
    return this.call('GET', '/v2/pods', undefined, { query }).json as never;
  }

  act(id: string, action: string): Reply {
    return this.call('POST', `/v2/pods/${id}/action`, { action });
  }

  effectsOf(type: Effect['type']): Effect[] {
    return this.effects.filter((effect) => effect.type === type);
  }

  /** The pod-scoped key, as the container would find it in its environment. */
  podKey(id: string): string {
    const pod = this.core.livePod(id);
    if (!pod) throw new Error(`no living pod ${id}`);
    return this.core.environmentOf(pod).RUNPOD_API_KEY!;
  }
}
