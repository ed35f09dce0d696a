import * as z from 'zod';
import { jsonObject } from './answer-text.js';
import type { GateFailure } from './gate-errors.js';
import { type GateCallOptions, type GateHttp, type GateRequest, shortTimeoutMs } from './gate-http.js';

/** Milliseconds. RunPod's proxy gives up after 100 s anyway; on loopback a cold load may take as long. */
const loadTimeoutMs = 120_000;
/** No line of a pull for this long: the download hangs. Ollama sends several lines a second while it moves. */
const pullStallMs = 60_000;
/** Longer than any boot may take; the caller's signal is what ends a pull. */
const pullTimeoutMs = 4 * 3_600_000;

export interface PullProgress {
  /** Such as `pulling manifest`, `pulling 4b6655a2…`, `verifying sha256 digest`. */
  status: string;
  completedBytes?: number;
  totalBytes?: number;
}

export interface OllamaModel {
  name: string;
  sizeBytes: number;
}

export interface LoadedModel extends OllamaModel {
  /** Less than `sizeBytes`: a part of the model runs on the CPU. */
  sizeVramBytes: number;
}

const pullLineSchema = z.object({
  status: z.string().optional(),
  completed: z.number().optional(),
  total: z.number().optional(),
  error: z.string().optional(),
});

type PullEnd = 'success' | { failure: GateFailure };

/** Ollama's API behind a pod's gate. Model names are given and compared as Ollama has them: `:latest` is implied. */
export class OllamaGate {
  readonly #http: GateHttp;

  constructor(http: GateHttp) {
    this.#http = http;
  }

  async version(options: GateCallOptions = {}): Promise<string> {
    const request = { method: 'GET' as const, path: '/api/version', timeoutMs: shortTimeoutMs, ...options };
    return (await this.#http.json(request, z.object({ version: z.string() }))).version;
  }

  /** Models on the pod's disk. */
  async tags(options: GateCallOptions = {}): Promise<OllamaModel[]> {
    const request = { method: 'GET' as const, path: '/api/tags', timeoutMs: shortTimeoutMs, ...options };
    const schema = z.object({ models: z.array(z.object({ name: z.string(), size: z.number() })).nullable() });
    const { models } = await this.#http.json(request, schema);
    return (models ?? []).map(({ name, size }) => ({ name, sizeBytes: size }));
  }

  /** Models in memory. */
  async ps(options: GateCallOptions = {}): Promise<LoadedModel[]> {
    const request = { method: 'GET' as const, path: '/api/ps', timeoutMs: shortTimeoutMs, ...options };
    const model = z.object({ name: z.string(), size: z.number(), size_vram: z.number().default(0) });
    const { models } = await this.#http.json(request, z.object({ models: z.array(model).nullable() }));
    return (models ?? []).map((m) => ({ name: m.name, sizeBytes: m.size, sizeVramBytes: m.size_vram }));
  }

  /** What a model can do, such as `completion` and `tools`. */
  async show(model: string, options: GateCallOptions = {}): Promise<{ capabilities: string[] }> {
    const schema = z.object({ capabilities: z.array(z.string()).default([]) });
    return await this.#http.json({ ...modelRequest('/api/show', { model }, shortTimeoutMs), ...options }, schema);
  }

  /** Loads the model and keeps it loaded. Giving up early aborts the load, so that a short limit would never succeed. */
  async preload(model: string, options: GateCallOptions & { timeoutMs?: number } = {}): Promise<void> {
    const body = { model, keep_alive: -1, stream: false };
    const request = modelRequest('/api/generate', body, options.timeoutMs ?? loadTimeoutMs);
    await this.#http.json({ ...request, signal: options.signal }, z.object({ done: z.literal(true) }));
  }

  /**
   * Downloads the model; repeated, it goes on where it was. Ends with the connection, so abort leaves nothing running.
   * Ollama answers 200 before it knows anything: a failure comes as a line, thrown here as `refused`.
   */
  async pull(
    model: string,
    onProgress: (progress: PullProgress) => void,
    options: GateCallOptions = {},
  ): Promise<void> {
    const stall = new AbortController();
    let alarm = new AbortController();
    const restartAlarm = () => {
      alarm.abort();
      alarm = new AbortController();
      this.#http.sleep(pullStallMs, alarm.signal).then(
        () => {
          stall.abort();
        },
        () => undefined,
      );
    };
    const signal = options.signal === undefined ? stall.signal : AbortSignal.any([options.signal, stall.signal]);
    const request = { ...modelRequest('/api/pull', { model, stream: true }, pullTimeoutMs), signal };
    restartAlarm();
    try {
      const end = await this.#http.stream(request, async (lines) => await readPull(lines, onProgress, restartAlarm));
      if (end !== 'success') throw this.#http.error(request, end.failure);
    } catch (error) {
      if (!stall.signal.aborted || options.signal?.aborted) throw error;
      throw this.#http.error(request, { kind: 'slow', detail: `no progress within ${pullStallMs / 1000} s` });
    } finally {
      alarm.abort();
    }
  }
}

async function readPull(
  lines: AsyncIterable<string>,
  onProgress: (progress: PullProgress) => void,
  onLine: () => void,
): Promise<PullEnd> {
  for await (const line of lines) {
    onLine();
    if (line.trim() === '') continue;
    const { data } = pullLineSchema.safeParse(jsonObject(line));
    if (data === undefined)
      return { failure: { kind: 'bad-answer', detail: `unexpected line: ${line.slice(0, 200)}` } };
    if (data.error !== undefined) return { failure: { kind: 'refused', detail: data.error.slice(0, 300) } };
    if (data.status === 'success') return 'success';
    onProgress({
      status: data.status ?? '',
      ...(data.completed === undefined ? {} : { completedBytes: data.completed }),
      ...(data.total === undefined ? {} : { totalBytes: data.total }),
    });
  }
  return { failure: { kind: 'not-up', detail: 'the stream ended before the model was complete' } };
}

function modelRequest(path: string, body: object, timeoutMs: number): GateRequest {
  return { method: 'POST', path, body, timeoutMs, namesModel: true };
}
