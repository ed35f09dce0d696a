import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AgentFault, AgentRegistry, builtinAgents, runAgent, type AgentRunOptions } from '../../../src/agent/index.js';
import { FakeModelServer, hang, html, json, speak, type Answer } from './fake-model-server.js';

const TOKEN = 'secret-token-of-the-gate';
const PAGE = `<!doctype html><html><head><style>p { color: red }</style><title>Bad gateway</title></head><body><p>Host error ${'x'.repeat(5000)}</p></body></html>`;

let server: FakeModelServer;
beforeEach(async () => {
  server = await FakeModelServer.start();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server.stop();
});

/** Runs the chat agent, which must fail. @throws Error when it does not */
async function faultOf(options: Partial<AgentRunOptions> & Pick<AgentRunOptions, 'api'>): Promise<AgentFault> {
  try {
    await runAgent({
      agent: 'chat',
      input: 'Say hello.',
      endpoint: server.url,
      token: TOKEN,
      model: 'fake',
      signal: new AbortController().signal,
      ...options,
    });
  } catch (error) {
    expect(error).toBeInstanceOf(AgentFault);
    return error as AgentFault;
  }
  throw new Error('the run succeeded');
}

/** The server's side of the socket goes away without a word. */
const cutSocket: Answer = (response) => void response.socket!.destroy();
/** The answer ends as if it were complete. */
const endEarly: Answer = (response) => void response.end();
const write =
  (text: string): Answer =>
  (response) =>
    void response.end(text);
const contentType =
  (type: string, text: string): Answer =>
  (response) =>
    void response.writeHead(200, { 'content-type': type }).end(text);

interface Row {
  fault: string;
  answer: Answer;
  kind: AgentFault['kind'];
  code: AgentFault['code'];
  says: RegExp;
  patience?: AgentRunOptions['patience'];
  retryAfterSeconds?: number;
}

const errorOf = {
  ollama: (text: string) => ({ error: text }),
  openai: (text: string) => ({ error: { message: text } }),
};

function rows(api: 'ollama' | 'openai'): Row[] {
  const failure = (status: number, text: string, headers?: Record<string, string>) =>
    json(status, errorOf[api](text), headers);
  const retry = { kind: 'retryable', code: 'AGENT_FAILED' } as const;
  const never = { kind: 'non-retryable', code: 'AGENT_FAILED' } as const;
  const lost = { kind: 'pod-lost', code: 'POD_LOST' } as const;
  const errorPiece = JSON.stringify(errorOf[api]('CUDA error: out of memory'));
  const stream = api === 'ollama' ? 'application/x-ndjson' : 'text/event-stream';
  return [
    { fault: '502 with a page', answer: html(502, PAGE), ...lost, says: /502: Bad gateway Host error x+/ },
    { fault: '524 with a page', answer: html(524, PAGE), ...retry, says: /524: Bad gateway/ },
    { fault: '503 busy', answer: failure(503, 'server busy'), ...retry, says: /503: server busy/ },
    {
      fault: '503 with Retry-After',
      answer: failure(503, 'server busy', { 'retry-after': '7' }),
      ...retry,
      says: /503/,
      retryAfterSeconds: 7,
    },
    {
      fault: '429 with Retry-After',
      answer: failure(429, 'slow down', { 'retry-after': '3' }),
      ...retry,
      says: /429: slow down/,
      retryAfterSeconds: 3,
    },
    { fault: '500', answer: failure(500, 'out of memory'), ...retry, says: /500: out of memory/ },
    {
      fault: '404 of the model',
      answer: failure(
        404,
        api === 'ollama' ? 'model "fake" not found, try pulling it first' : 'The model `fake` does not exist.',
      ),
      kind: 'non-retryable',
      code: 'MODEL_NOT_SERVED',
      says: /does not serve the model "fake"/,
    },
    { fault: "404 of RunPod's proxy", answer: html(404, 'not here'), ...lost, says: /404: not here/ },
    {
      fault: '400 for tools',
      answer: failure(400, '"fake" does not support tools'),
      kind: 'non-retryable',
      code: 'MODEL_CANNOT_CALL_TOOLS',
      says: /"fake" cannot call/,
    },
    {
      fault: '400 otherwise',
      answer: failure(400, 'bad option'),
      ...never,
      says: /refused the request \(400: bad option\)/,
    },
    {
      fault: 'a full context',
      answer: failure(400, 'the request exceeds the available context size'),
      kind: 'non-retryable',
      code: 'INPUT_TOO_LARGE',
      says: /too large for the model/,
    },
    { fault: '413', answer: html(413, ''), kind: 'non-retryable', code: 'INPUT_TOO_LARGE', says: /\(413\)/ },
    {
      fault: '401',
      answer: failure(401, 'no token'),
      kind: 'non-retryable',
      code: 'GATE_UNAUTHORIZED',
      says: /401: no token.*gate secret/,
    },
    { fault: '403', answer: html(403, ''), kind: 'non-retryable', code: 'GATE_UNAUTHORIZED', says: /\(403\)/ },
    {
      fault: 'a redirect, which is not followed',
      answer: (response) => void response.writeHead(302, { location: `${server.url}/elsewhere` }).end(),
      ...never,
      says: /302/,
    },
    { fault: '200 with a page', answer: html(200, PAGE), ...retry, says: /"text\/html" instead of/ },
    {
      fault: 'a stream that never ends',
      answer: speak(['Hel'], { instead: endEarly }),
      ...retry,
      says: /before it was complete/,
    },
    { fault: 'a stream with nothing in it', answer: contentType(stream, ''), ...retry, says: /before it was complete/ },
    {
      fault: 'half a piece at the end',
      answer: speak(['Hel'], { instead: write('data: {"mess') }),
      ...retry,
      says: /before it was complete/,
    },
    {
      fault: 'a stream of something else',
      answer: contentType(stream, 'data: hello\n\n'),
      ...retry,
      says: /before it was complete/,
    },
    {
      fault: 'a socket cut in the middle',
      answer: speak(['Hel'], { instead: cutSocket }),
      ...lost,
      says: /UND_ERR_SOCKET/,
    },
    { fault: 'a socket cut before the answer', answer: cutSocket, ...lost, says: /UND_ERR_SOCKET|ECONNRESET/ },
    {
      fault: 'an error in the stream',
      answer: speak(['Hel'], { instead: write(api === 'ollama' ? `${errorPiece}\n` : `data: ${errorPiece}\n\n`) }),
      ...retry,
      says: /broke off its answer: CUDA error: out of memory/,
    },
    {
      fault: 'no headers in time',
      answer: hang,
      ...retry,
      patience: { headersSeconds: 0.3 },
      says: /UND_ERR_HEADERS_TIMEOUT/,
    },
    {
      fault: 'no further piece in time',
      answer: speak(['Hel'], { instead: hang }),
      ...retry,
      patience: { bodySeconds: 0.3 },
      says: /UND_ERR_BODY_TIMEOUT/,
    },
  ];
}

describe.each(['ollama', 'openai'] as const)('a fault by api=%s', (api) => {
  it.each(rows(api))('$fault → $kind $code, after one request', async (row) => {
    const printed = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name).mockReturnValue());
    server.chat = row.answer;
    const fault = await faultOf({ api, ...(row.patience && { patience: row.patience }) });

    expect(fault).toMatchObject({ kind: row.kind, code: row.code });
    expect(fault.message).toMatch(row.says);
    expect(fault.retryAfterSeconds).toBe(row.retryAfterSeconds);
    expect(fault.message).not.toMatch(/[<>{]/);
    expect(fault.message.length).toBeLessThanOrEqual(500);
    expect(server.chats).toHaveLength(1);
    expect(server.seen).toHaveLength(2);
    for (const print of printed) expect(print).not.toHaveBeenCalled();
  });

  it.each(rows(api).filter(({ fault }) => /^\d/.test(fault)))('$fault already at the check → the same', async (row) => {
    server.everything = row.answer;
    expect(await faultOf({ api })).toMatchObject({ kind: row.kind, code: row.code });
    expect(server.seen).toHaveLength(1);
  });

  it('connection refused → pod-lost', async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    expect(await faultOf({ api, endpoint: `http://127.0.0.1:${port}` })).toMatchObject({
      kind: 'pod-lost',
      code: 'POD_LOST',
      message: 'no connection to the pod (ECONNREFUSED)',
    });
  });

  it('DNS name gone → pod-lost', async () => {
    // RFC 6761: `.invalid` never resolves; without a resolver the answer is EAI_AGAIN.
    const fault = await faultOf({ api, endpoint: 'http://pod.invalid' });
    expect(fault).toMatchObject({ kind: 'pod-lost', code: 'POD_LOST' });
    expect(fault.message).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });

  it('never shows the token, not even half of it at a cut', async () => {
    for (let padding = 260; padding <= 300; padding += 4) {
      server.chat = html(500, `${'x'.repeat(padding)}${TOKEN} Authorization: Bearer abcdef`);
      const { message } = await faultOf({ api });
      expect(message).not.toMatch(/secret|abcdef/);
    }
  });

  it("an agent's own failure says nothing about the pod", async () => {
    const lookalikes = [
      Object.assign(new Error(`tool failed with ${TOKEN}`), { code: 'ECONNREFUSED' }),
      Object.assign(new Error('tool'), { status: 401 }),
      'a string',
    ];
    for (const thrown of lookalikes) {
      const broken = { name: 'broken', needsTools: false, run: vi.fn().mockRejectedValue(thrown) };
      const fault = await faultOf({ api, agent: 'broken', agents: new AgentRegistry([...builtinAgents(), broken]) });
      expect(fault).toMatchObject({ kind: 'retryable', code: 'AGENT_FAILED' });
      expect(fault.message).not.toContain(TOKEN);
    }
  });
});
