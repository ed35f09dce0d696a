import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { createGateClient, createRunPodClient, type GateError, type RunPodError } from '../../../src/runpod/index.js';
import { systemSleep } from '../../../src/runpod/time.js';
import { apiKey, examplePod, failureOf } from './support.js';

type Responder = (request: IncomingMessage, response: ServerResponse) => void;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
});

async function serve(respond: Responder): Promise<string> {
  const server = createServer(respond);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The limits of the client, a hundred times shorter. */
const hasty = async (ms: number, signal?: AbortSignal) => {
  await systemSleep(ms / 100, signal);
};

function clientOf(url: string, sleep = systemSleep) {
  return createRunPodClient({ apiUrl: `${url}/v2`, apiKey, userAgent: 'devloop-test/1', sleep });
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const spec = {
  name: 'n',
  image: 'i',
  gpu: { id: 'g', count: 1 },
  cloud: 'SECURE' as const,
  disk: 1,
  ports: [],
  env: {},
  args: '',
};

describe('over real HTTP', () => {
  it('sends key and user agent, follows cursors, and reads the quota from the headers', async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      seen.push(`${request.headers['user-agent']} ${request.headers.authorization} ${request.url}`);
      const isFirst = request.url === '/v2/pods';
      const pagination = isFirst
        ? { nextCursor: 'a/b c', hasNextPage: true }
        : { nextCursor: null, hasNextPage: false };
      const headers = { RateLimit: '"hour";r=0;t=1800', 'RateLimit-Policy': '"hour";q=3000;w=3600' };
      json(response, 200, { pods: [{ ...examplePod, id: isFirst ? 'p1' : 'p2' }], pagination }, isFirst ? {} : headers);
    });
    const client = clientOf(url);
    const { pods } = await client.listPods();
    expect(pods.map((pod) => pod.id)).toEqual(['p1', 'p2']);
    expect(seen[0]).toBe(`devloop-test/1 Bearer ${apiKey} /v2/pods`);
    expect(new URL(`http://x${seen[1]?.split(' ').at(-1)}`).searchParams.get('cursor')).toBe('a/b c');
    const error = await failureOf<RunPodError>(client.listPods());
    expect(error.kind).toBe('rate-limited');
    expect(error.retryAt! - Date.now()).toBeGreaterThan(1_700_000);
    expect(seen).toHaveLength(2);
  });

  it('closes the socket when the caller aborts', async () => {
    let onArrived: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (onArrived = resolve));
    let onClosed: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (onClosed = resolve));
    const url = await serve((request) => {
      request.socket.on('close', onClosed);
      onArrived();
    });
    const caller = new AbortController();
    const failure = failureOf<RunPodError>(clientOf(url).getPod('x', { signal: caller.signal }));
    await arrived;
    caller.abort();
    expect((await failure).kind).toBe('aborted');
    await closed;
  });

  it('ends at its limit, whether nothing comes or the body trickles', async () => {
    const timers: NodeJS.Timeout[] = [];
    cleanups.push(async () => {
      timers.forEach(clearInterval);
      await Promise.resolve();
    });
    const url = await serve((request, response) => {
      if (request.method === 'POST') return;
      response.writeHead(200, { 'content-type': 'application/json' });
      timers.push(setInterval(() => response.write(' '), 20));
    });
    const client = clientOf(url, hasty);
    expect((await failureOf<RunPodError>(client.createPod(spec))).kind).toBe('ambiguous');
    expect((await failureOf<RunPodError>(client.getPod('x'))).kind).toBe('unavailable');
  });

  it('knows that a refused connection created nothing, and that a broken one may have', async () => {
    const closedServer = createTcpServer();
    await new Promise<void>((resolve) => closedServer.listen(0, '127.0.0.1', resolve));
    const { port } = closedServer.address() as AddressInfo;
    await new Promise((resolve) => closedServer.close(resolve));
    const refused = await failureOf<RunPodError>(clientOf(`http://127.0.0.1:${port}`).createPod(spec));
    expect(refused.kind).toBe('nothing-created');
    const unknown = await failureOf<RunPodError>(clientOf('http://no-such-host.invalid').createPod(spec));
    expect(unknown.kind).toBe('nothing-created');
    const url = await serve((request) => request.socket.destroy());
    const broken = await failureOf<RunPodError>(clientOf(url).createPod(spec));
    expect(broken.kind).toBe('ambiguous');
    const cutShort = await serve((request, response) => {
      response.writeHead(201, { 'content-length': '500' }).write('{"id":"p1"');
      setImmediate(() => request.socket.destroy());
    });
    expect((await failureOf<RunPodError>(clientOf(cutShort).createPod(spec))).kind).toBe('ambiguous');
    for (const error of [refused, unknown, broken]) expect(inspect(error, { depth: 9 })).not.toContain(apiKey);
  });

  it('does not carry the key along a redirect', async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls += 1;
      response.writeHead(302, { location: '/v2/elsewhere' }).end();
    });
    const error = await failureOf<RunPodError>(clientOf(url).createPod(spec));
    expect(error).toMatchObject({ kind: 'bad-request', status: 302 });
    expect(calls).toBe(1);
  });

  it('reads HTML of the edge and a 204 without a body', async () => {
    const url = await serve((request, response) => {
      if (request.method === 'DELETE') response.writeHead(204).end();
      else response.writeHead(403, { 'content-type': 'text/html' }).end('<html><p>error code: 1010</p></html>');
    });
    const client = clientOf(url);
    expect(await client.terminatePod('x')).toBe('accepted');
    const error = await failureOf<RunPodError>(client.listPods());
    expect(error).toMatchObject({
      kind: 'unavailable',
      status: 403,
      detail: 'an HTML page instead of an answer: error code: 1010',
    });
  });

  it('takes the backlog of a log that never ends, and hangs up', async () => {
    let onClosed: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (onClosed = resolve));
    const url = await serve((request, response) => {
      request.socket.on('close', onClosed);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const line of ['one', 'two'])
        response.write(`id: 1\ndata: ${JSON.stringify({ ts: 't', source: 'system', line })}\n\n`);
    });
    expect(await clientOf(url, hasty).podLogs('x')).toEqual(['one', 'two']);
    await closed;
  });

  it('pulls a model line by line, notices a break, and hangs up on abort', async () => {
    let onClosed: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (onClosed = resolve));
    let mode: 'break' | 'hang' = 'break';
    const url = await serve((request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write('{"status":"pulling mani');
      response.write('fest"}\n');
      if (mode === 'break') setTimeout(() => request.socket.destroy(), 50);
      else request.socket.on('close', onClosed);
    });
    const gate = createGateClient({ endpoint: url, token: 't', userAgent: 'devloop-test/1' });
    const seen: string[] = [];
    const broken = await failureOf<GateError>(gate.ollama.pull('m', ({ status }) => seen.push(status)));
    expect(broken.kind).toBe('not-up');
    expect(seen).toEqual(['pulling manifest']);
    mode = 'hang';
    const caller = new AbortController();
    const left = await failureOf<GateError>(
      gate.ollama.pull(
        'm',
        () => {
          caller.abort();
        },
        { signal: caller.signal },
      ),
    );
    expect(left.kind).toBe('aborted');
    await closed;
  });
});
