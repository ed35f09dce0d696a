import type { PodDependencies } from '../../../src/activities/pod-dependencies.js';
import type { PollPodInput } from '../../../src/activities/types.js';
import { createGateClient, gateToken, type DeadmanStatus } from '../../../src/runpod/index.js';
import { dependencies, GATE_SECRET, nameOf, planFor, RTX_4090, sessionSpec } from '../../support/run-activity.js';
import type { VirtualRunPod } from '../../support/virtual-runpod.js';
import type { VirtualTime } from '../../support/virtual-time.js';
import { adapterOf, type FakeAnswer } from '../runpod/support.js';

/** What something in front of a pod answers with. */
export const page = (status: number): FakeAnswer => ({
  status,
  body: `<!DOCTYPE html><html><body>Error ${status}</body></html>`,
});

interface LoadedModel {
  name: string;
  size: number;
  size_vram: number;
}

/** What answers on a pod: a gate with Ollama and an OpenAI-like server behind it. A test changes what it needs. */
export class PodService {
  /** Requests that were answered, as `METHOD /path`. */
  readonly seen: string[] = [];
  secret = GATE_SECRET;
  api: 'ollama' | 'openai' = 'ollama';
  gpuCount = 1;
  gpuVisible = false;
  modelFile = false;
  deadman: DeadmanStatus = { state: 'armed' };
  onDisk: string[] = ['m:latest'];
  inMemory: LoadedModel[] = [];
  /** Lines of a pull; undefined: it hangs. */
  pull: readonly Record<string, unknown>[] | undefined = [{ status: 'success' }];
  openAiModels: string[] = ['m'];
  touches: unknown[] = [];
  /** Answers in place of the service, such as a proxy's page; undefined lets the service answer. */
  before: (request: string, authorization: string) => FakeAnswer | undefined = () => undefined;

  constructor(
    private readonly runpod: VirtualRunPod,
    private readonly podName = nameOf(),
  ) {}

  get time(): VirtualTime {
    return this.runpod.time;
  }

  get deps(): PodDependencies {
    const { time } = this;
    return dependencies(this.runpod, {
      gate: ({ endpoint, podName, secret }) =>
        createGateClient({
          endpoint,
          token: gateToken(secret, podName),
          userAgent: 'devloop-test/1',
          sleep: time.sleep,
          adapter: adapterOf(async ({ method, path, body, headers, signal }) => {
            await time.sleep(5, signal);
            return this.answer(`${method} ${path}`, body, headers.Authorization, signal);
          }),
        }),
    });
  }

  private async answer(
    request: string,
    body: unknown,
    authorization: unknown,
    signal: AbortSignal,
  ): Promise<FakeAnswer> {
    const instead = this.before(request, String(authorization));
    if (instead) return instead;
    this.seen.push(request);
    if (request === 'GET /healthz') return { body: 'ok' };
    if (authorization !== `Bearer ${gateToken(this.secret, this.podName)}`)
      return { status: 401, body: 'who are you?' };
    switch (request) {
      case 'GET /devloop/status':
        return { body: this.status() };
      case 'POST /devloop/touch':
        this.touches.push(body);
        return { status: 204 };
      case 'GET /api/version':
        return { body: { version: '0.9.0' } };
      case 'GET /api/tags':
        return { body: { models: this.onDisk.map((name) => ({ name, size: 1000 })) } };
      case 'POST /api/pull':
        return this.pulled(signal);
      case 'POST /api/generate': {
        const [name = ''] = this.onDisk;
        if (this.inMemory.length === 0) this.inMemory.push({ name, size: 1000, size_vram: this.gpuVisible ? 1000 : 0 });
        return { body: { done: true } };
      }
      case 'GET /api/ps':
        return { body: { models: this.inMemory } };
      case 'GET /health':
        return { body: '' };
      case 'GET /v1/models':
        return { body: { data: this.openAiModels.map((id) => ({ id })) } };
      default:
        return { status: 404, body: 'no such path' };
    }
  }

  private async pulled(signal: AbortSignal): Promise<FakeAnswer> {
    if (!this.pull) await this.runpod.time.sleep(1e12, signal);
    const lines = this.pull ?? [];
    if (lines.some(({ status }) => status === 'success')) this.onDisk.push('m:latest');
    return { body: lines.map((line) => JSON.stringify(line)).join('\n') };
  }

  private status(): object {
    const { podName, api, modelFile, gpuCount, gpuVisible, deadman } = this;
    const startedAt = '2026-06-01T00:00:00Z';
    return {
      podId: 'p',
      podName,
      api,
      model: 'm',
      modelFile,
      gpuCount,
      gpuVisible,
      maxParallel: 2,
      deadman,
      startedAt,
    };
  }
}

/** A rented pod that pollPod is to wait for, for a hundred seconds. */
export function bootOf(runpod: VirtualRunPod, change: Partial<PollPodInput> = {}): PollPodInput {
  const podId = runpod.rent(nameOf());
  const createdAt = new Date(runpod.time.nowMs).toISOString();
  const pod = { id: podId, name: nameOf(), gpu: RTX_4090, costPerHourUsd: 0.69, createdAt };
  return { pod, spec: sessionSpec(), plan: planFor(runpod), readyByMs: runpod.time.nowMs + 100_000, ...change };
}
