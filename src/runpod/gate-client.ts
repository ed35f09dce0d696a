import * as z from 'zod';
import { API_KINDS } from '../contract/index.js';
import { type GateCallOptions, GateHttp, type GateClientOptions, shortTimeoutMs } from './gate-http.js';
import { OllamaGate } from './gate-ollama.js';
import { OpenAiGate } from './gate-openai.js';

/** The dead-man's switch of a pod, as of its last look, which it takes every few seconds. Numbers stand there once it has looked. */
const deadmanSchema = z.object({
  /** `absent`: the pod has none · `starting` · `armed` · `unarmed`: it cannot work, see `problem`. */
  state: z.enum(['absent', 'starting', 'armed', 'unarmed']),
  problem: z.string().optional(),
  /** Until the pod is declared ready its `READY_BY` rules, then the idle time. */
  ready: z.boolean().optional(),
  /** Since the last use; 0 while a request is in flight. */
  idleSeconds: z.number().optional(),
  inFlight: z.number().optional(),
  /** Epoch seconds: when it ends the pod unless somebody uses it, and when it last looked. */
  endsAt: z.number().optional(),
  seenAt: z.number().optional(),
});
export type DeadmanStatus = z.output<typeof deadmanSchema>;

/** `GET /devloop/status`. */
const gateStatusSchema = z.object({
  podId: z.string(),
  podName: z.string(),
  api: z.enum(API_KINDS),
  model: z.string(),
  /** The model comes from a file on the pod: it is created there, not pulled. */
  modelFile: z.boolean(),
  /** Of nvidia-smi; in the emulator what the pod was rented with. */
  gpuCount: z.number(),
  /** `nvidia-smi` shows a GPU, so the model belongs on it; the emulator has none to show. */
  gpuVisible: z.boolean(),
  maxParallel: z.number(),
  deadman: deadmanSchema,
  /** When the pod's scripts last started. */
  startedAt: z.string(),
});
export type GateStatus = z.output<typeof gateStatusSchema>;

/**
 * The gate of one pod and the model server behind it. Every method throws GateError and nothing else, checks the body
 * as well as the status, and repeats nothing.
 */
export class GateClient {
  /** For pods with `api: "ollama"`. */
  readonly ollama: OllamaGate;
  /** For pods with `api: "openai"`. */
  readonly openai: OpenAiGate;
  readonly #http: GateHttp;

  constructor(options: GateClientOptions) {
    this.#http = new GateHttp(options);
    this.ollama = new OllamaGate(this.#http);
    this.openai = new OpenAiGate(this.#http);
  }

  /** The gate itself answers. It takes no token, so it proves nothing about ours; it is no use of the pod. */
  async healthz(options: GateCallOptions = {}): Promise<void> {
    const request = { method: 'GET' as const, path: '/healthz', timeoutMs: shortTimeoutMs, ...options };
    const { body, status } = await this.#http.send(request);
    if (body.trim() !== 'ok') {
      throw this.#http.error(request, {
        kind: 'not-up',
        status,
        detail: `not the gate's answer: ${body.slice(0, 80)}`,
      });
    }
  }

  /** Takes the token; is no use of the pod. */
  async status(options: GateCallOptions = {}): Promise<GateStatus> {
    const request = { method: 'GET' as const, path: '/devloop/status', timeoutMs: shortTimeoutMs, ...options };
    return await this.#http.json(request, gateStatusSchema);
  }

  /** Counts as a use of the pod; `ready` ends its boot, so that from now on the idle time rules. */
  async touch(options: GateCallOptions & { ready?: boolean } = {}): Promise<void> {
    const { signal, ready } = options;
    const body = ready === true ? { ready } : {};
    const request = { method: 'POST' as const, path: '/devloop/touch', body, timeoutMs: shortTimeoutMs, signal };
    const answer = await this.#http.send(request);
    if (answer.status !== 204) {
      throw this.#http.error(request, { kind: 'not-up', status: answer.status, detail: "not the gate's answer" });
    }
  }
}

export function createGateClient(options: GateClientOptions): GateClient {
  return new GateClient(options);
}
