import { inspect } from 'node:util';
import { AxiosError } from 'axios';
import { describe, expect, it } from 'vitest';
import { createGateClient, type GateClient, GateError, type PullProgress } from '../../../src/runpod/index.js';
import { adapterOf, failureOf, type FakeAnswer, type Handler, settle, VirtualTime } from './support.js';

const token = 'gate-token-0123456789abcdef';
const page = '<!DOCTYPE html><html><body>Starting</body></html>';

function gateWith(handler: Handler): { gate: GateClient; time: VirtualTime } {
  const time = new VirtualTime();
  const options = { endpoint: 'https://p.test', token, userAgent: 'devloop-test/1' };
  return { gate: createGateClient({ ...options, adapter: adapterOf(handler), sleep: time.sleep }), time };
}

async function kindOf(answer: FakeAnswer | Error, call: (gate: GateClient) => Promise<unknown>): Promise<string> {
  const { gate } = gateWith(() => {
    if (answer instanceof Error) throw answer;
    return answer;
  });
  const error = await failureOf<GateError>(call(gate));
  expect(error).toBeInstanceOf(GateError);
  expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain(token);
  return error.kind;
}

describe('a gate that does not serve', () => {
  const rows: [string, FakeAnswer | Error, string][] = [
    ['HTML under 200', { body: page }, 'not-up'],
    ['text under 200', { body: 'Ollama is running' }, 'not-up'],
    ['an empty 200', {}, 'not-up'],
    ['401', { status: 401, body: { error: `wrong token ${token}` } }, 'unauthorized'],
    ['403', { status: 403, body: page }, 'refused'],
    ['404 of the proxy', { status: 404, body: page }, 'not-up'],
    ['404 in JSON', { status: 404, body: { error: 'no such pod' } }, 'not-up'],
    ['502', { status: 502, body: { error: 'dial tcp: connection refused' } }, 'not-up'],
    ['503', { status: 503, body: { error: { message: 'Loading model' } } }, 'not-up'],
    ['500', { status: 500, body: '' }, 'not-up'],
    ['524', { status: 524, body: page }, 'slow'],
    ['504', { status: 504, body: page }, 'slow'],
    ['302', { status: 302 }, 'bad-answer'],
    ['JSON of another shape', { body: { hello: 'world' } }, 'bad-answer'],
    ['ECONNREFUSED', new AxiosError('x', 'ECONNREFUSED'), 'not-up'],
    ['ECONNRESET', new AxiosError('x', 'ECONNRESET'), 'not-up'],
  ];
  it.each(rows)('%s', async (_name, answer, kind) => {
    expect(await kindOf(answer, (gate) => gate.status())).toBe(kind);
    expect(await kindOf(answer, (gate) => gate.ollama.tags())).toBe(kind);
    expect(await kindOf(answer, (gate) => gate.openai.models())).toBe(kind);
  });

  it('is not taken for up by its open health page or by a touch', async () => {
    expect(await kindOf({ body: page }, (gate) => gate.healthz())).toBe('not-up');
    expect(await kindOf({ body: '{}' }, (gate) => gate.healthz())).toBe('not-up');
    expect(await kindOf({ body: page }, (gate) => gate.touch())).toBe('not-up');
    expect(await kindOf({ body: {} }, (gate) => gate.touch({ ready: true }))).toBe('not-up');
    expect(await kindOf({ body: page }, (gate) => gate.openai.health())).toBe('not-up');
  });

  it('is slow when it does not answer in time, and left when the caller leaves', async () => {
    const { gate, time } = gateWith(async () => await new Promise(() => undefined));
    const slow = failureOf<GateError>(gate.status());
    await time.advance(10_000);
    expect((await slow).kind).toBe('slow');
    const caller = new AbortController();
    const left = failureOf<GateError>(gate.status({ signal: caller.signal }));
    const pull = failureOf<GateError>(gate.ollama.pull('m', () => undefined, { signal: caller.signal }));
    await settle();
    caller.abort();
    expect([(await left).kind, (await pull).kind]).toEqual(['aborted', 'aborted']);
    await settle();
    expect(time.sleeping).toBe(0);
  });
});

describe('a model server that says no', () => {
  const missing = { status: 404, body: { error: "model 'm' not found" } };
  it('is told from a pod that is not there', async () => {
    expect(await kindOf(missing, (gate) => gate.ollama.show('m'))).toBe('refused');
    expect(await kindOf(missing, (gate) => gate.ollama.preload('m'))).toBe('refused');
    expect(await kindOf(missing, (gate) => gate.ollama.pull('m', () => undefined))).toBe('refused');
    expect(await kindOf({ status: 500, body: { error: 'out of memory' } }, (gate) => gate.ollama.preload('m'))).toBe(
      'refused',
    );
    expect(await kindOf({ status: 404, body: page }, (gate) => gate.ollama.show('m'))).toBe('not-up');
  });

  it('says why', async () => {
    const { gate } = gateWith(() => missing);
    expect((await failureOf(gate.ollama.show('m'))).message).toBe("pod POST /api/show: model 'm' not found (HTTP 404)");
  });
});

describe('a gate that serves', () => {
  const status = {
    podId: 'p',
    podName: 'n',
    api: 'ollama',
    model: 'm',
    modelFile: false,
    gpuCount: 1,
    gpuVisible: true,
    maxParallel: 2,
    deadman: { state: 'armed' },
    startedAt: '2026-01-01T00:00:00Z',
  };
  const answers: Record<string, FakeAnswer> = {
    'GET /healthz': { body: 'ok' },
    'GET /devloop/status': { body: status },
    'POST /devloop/touch': { status: 204 },
    'GET /api/version': { body: { version: '0.17.4' } },
    'GET /api/tags': { body: { models: [{ name: 'm:latest', size: 7, digest: 'd' }] } },
    'GET /api/ps': { body: { models: [{ name: 'm:latest', size: 9, size_vram: 8 }] } },
    'POST /api/show': { body: { capabilities: ['completion', 'tools'], template: 'x' } },
    'POST /api/generate': { body: { model: 'm', done: true, done_reason: 'load' } },
    'GET /health': { body: '' },
    'GET /v1/models': { body: { object: 'list', data: [{ id: 'm' }] } },
  };

  it('is read', async () => {
    const bodies: unknown[] = [];
    const { gate } = gateWith(({ method, path, body, headers }) => {
      expect(headers).toMatchObject({ Authorization: `Bearer ${token}`, 'User-Agent': 'devloop-test/1' });
      if (body !== undefined) bodies.push(body);
      return answers[`${method} ${path}`]!;
    });
    await gate.healthz();
    expect(await gate.status()).toEqual(status);
    await gate.touch();
    await gate.touch({ ready: true });
    expect(await gate.ollama.version()).toBe('0.17.4');
    expect(await gate.ollama.tags()).toEqual([{ name: 'm:latest', sizeBytes: 7 }]);
    expect(await gate.ollama.ps()).toEqual([{ name: 'm:latest', sizeBytes: 9, sizeVramBytes: 8 }]);
    expect(await gate.ollama.show('m')).toEqual({ capabilities: ['completion', 'tools'] });
    await gate.ollama.preload('m');
    await gate.openai.health();
    expect(await gate.openai.models()).toEqual(['m']);
    expect(bodies).toEqual([{}, { ready: true }, { model: 'm' }, { model: 'm', keep_alive: -1, stream: false }]);
  });
});

describe('pull', () => {
  const lines = (...entries: object[]) => ({ body: `${entries.map((entry) => JSON.stringify(entry)).join('\n')}\n` });

  it('reports its progress and ends with success', async () => {
    const { gate } = gateWith(() =>
      lines({ status: 'pulling manifest' }, { status: 'pulling ab', total: 10, completed: 5 }, { status: 'success' }),
    );
    const seen: PullProgress[] = [];
    await gate.ollama.pull('m', (progress) => seen.push(progress));
    expect(seen).toEqual([{ status: 'pulling manifest' }, { status: 'pulling ab', totalBytes: 10, completedBytes: 5 }]);
  });

  it.each<[string, FakeAnswer | Error, string]>([
    [
      'an error line under 200',
      lines({ status: 'pulling manifest' }, { error: 'pull model manifest: file does not exist' }),
      'refused',
    ],
    ['a stream that ends early', lines({ status: 'pulling manifest' }), 'not-up'],
    ['an empty stream', { body: '' }, 'not-up'],
    ['lines that are no JSON', { body: 'hello\n' }, 'bad-answer'],
    ['a page', { headers: { 'content-type': 'text/html' }, body: page }, 'not-up'],
    ['401', { status: 401, body: { error: 'x' } }, 'unauthorized'],
  ])('fails by %s', async (_name, answer, kind) => {
    expect(await kindOf(answer, (gate) => gate.ollama.pull('m', () => undefined))).toBe(kind);
  });

  it('is slow when nothing moves', async () => {
    const { gate, time } = gateWith(async () => await new Promise(() => undefined));
    const failure = failureOf<GateError>(gate.ollama.pull('m', () => undefined));
    await time.advance(60_000);
    expect(await failure).toMatchObject({ kind: 'slow', detail: 'no progress within 60 s' });
  });
});
