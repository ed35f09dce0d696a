import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PodProxy, type ProxiedLease } from '../../../src/cli/proxy/pod-proxy.js';
import { DevloopError } from '../../../src/contract/index.js';

/** Below a path, as the emulator's pods are; beside it is what is not the pod's. */
const BELOW = '/proxy/pod1/8000';
let pod: Server;
let proxy: PodProxy;
let seen: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let uses: number;
let inUse: number;
let reports: string[];
let problem: DevloopError | undefined;

const lease = (): ProxiedLease => ({
  get grant() {
    if (problem) throw problem;
    const endpoint = `http://127.0.0.1:${(pod.address() as AddressInfo).port}${BELOW}`;
    const rest = { leaseId: 'l', podId: 'pod1', podName: 'n', api: 'openai', model: 'm', expiresAt: '' } as const;
    return { ...rest, endpoint };
  },
  headers: () => ({ Authorization: 'Bearer the-token' }),
  report: (what) => {
    reports.push(what);
    return Promise.resolve();
  },
  touch: () => Promise.resolve(),
  use: async (work) => {
    uses += 1;
    inUse += 1;
    try {
      return await work();
    } finally {
      inUse -= 1;
    }
  },
});

beforeEach(async () => {
  seen = [];
  uses = 0;
  inUse = 0;
  reports = [];
  problem = undefined;
  answer = (_request, response) => response.end('hello');
  pod = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => pod.listen(0, '127.0.0.1', resolve));
  proxy = await PodProxy.listen({ secret: 's', port: 0, hold: false });
  proxy.follow(lease());
});

afterEach(async () => {
  await proxy.close();
  pod.closeAllConnections();
  await new Promise((resolve) => pod.close(resolve));
});

/** Sends exactly this and returns all that comes until the proxy closes the connection. */
function raw(head: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    connect(proxy.port, '127.0.0.1')
      .setEncoding('utf8')
      .on('data', (data: string) => (text += data))
      .once('close', () => {
        resolve(text);
      })
      .once('error', reject)
      .write(`${head.join('\r\n')}\r\n\r\n`);
  });
}

const get = (path: string, headers: readonly string[] = []): Promise<string> =>
  raw([`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${proxy.port}`, 'Connection: close', ...headers]);

describe('what reaches the pod', () => {
  it('a path below its endpoint, with the token in place of what the program had', async () => {
    expect(await get('/v1/models?a=b', ['Authorization: Bearer of-the-program'])).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen[0]?.url).toBe(`${BELOW}/v1/models?a=b`);
    expect(seen[0]?.headers.authorization).toBe('Bearer the-token');
    expect(uses).toBeGreaterThan(0);
  });

  it('uses the lease for as long as its answer is on its way, or until the program leaves', async () => {
    let end = (): void => undefined;
    answer = (_request, response) => {
      response.write('a long ');
      end = () => response.end('story');
    };
    const story = await fetch(proxy.url);
    const leave = new AbortController();
    const other = await fetch(proxy.url, { signal: leave.signal });
    expect([uses, inUse]).toEqual([2, 2]);
    leave.abort();
    await expect(other.text()).rejects.toThrow();
    await vi.waitUntil(() => inUse === 1);
    end();
    await vi.waitUntil(() => inUse === 1);
    await story.body?.cancel();
    await vi.waitUntil(() => inUse === 0);
  });

  it.each([
    ['a path above the endpoint', '/../../../admin/ledger'],
    ['the same in other letters', '/%2e%2e/..%2f/../%2E%2E/admin/ledger'],
    ['another host', 'http://evil.example/v1/models'],
    ["a scheme that makes another host of the pod's", 'work://evil.example/'],
  ])('not %s: nothing is sent, the token least of all', async (_what, path) => {
    expect(await get(path)).toMatch(/^HTTP\/1\.1 400 /);
    expect(seen).toEqual([]);
    expect(uses).toBe(0);
  });

  it('not a wish to be another protocol: that is answered as a plain request', async () => {
    expect(await get('/ws', ['Connection: Upgrade', 'Upgrade: websocket'])).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen[0]?.headers.upgrade).toBeUndefined();
  });

  it('the whole of a large body, and its answer as it comes', async () => {
    answer = (request, response) => {
      response.write('first');
      let bytes = 0;
      request.on('data', (data: Buffer) => (bytes += data.length)).on('end', () => response.end(` ${bytes}`));
    };
    const body = 'x'.repeat(5_000_000);
    const answered = await fetch(`${proxy.url}/v1/chat/completions`, { method: 'POST', body });
    expect(await answered.text()).toBe('first 5000000');
  });

  it('to HTTP/1.0 it answers without chunks and closes', async () => {
    answer = (_request, response) => {
      response.write('one');
      response.end('two');
    };
    const text = await raw(['GET / HTTP/1.0', `Host: 127.0.0.1:${proxy.port}`]);
    expect(text).toMatch(/\r\n\r\nonetwo$/);
    expect(text).not.toMatch(/chunked|keep-alive/i);
  });

  it('HEAD has the headers and no body', async () => {
    answer = (_request, response) => response.writeHead(200, { 'content-length': 11 }).end();
    const answered = await fetch(proxy.url, { method: 'HEAD' });
    expect(answered.headers.get('content-length')).toBe('11');
  });

  it('is no longer asked when the program hangs up', async () => {
    const hungUp = new Promise((resolve) => {
      answer = (request) => request.once('close', resolve);
    });
    const asking = request(proxy.url);
    asking.on('error', () => undefined).end();
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    asking.destroy();
    await hungUp;
    expect(reports).toEqual([]);
  });
});

describe('who is answered', () => {
  it.each(['localhost', 'LOCALHOST', '[::1]'])('%s', async (name) => {
    const answered = await raw(['GET / HTTP/1.1', `Host: ${name}:${proxy.port}`, 'Connection: close']);
    expect(answered).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([
    ['a name that points here', ['Host: evil.example']],
    ['the right port under such a name', ['Host: evil.example:{port}']],
    ['another port', ['Host: 127.0.0.1:1']],
    ['a page of the web', ['Host: 127.0.0.1:{port}', 'Origin: https://evil.example']],
    ['a page without an origin', ['Host: 127.0.0.1:{port}', 'Origin: null']],
    ['a picture on such a page', ['Host: 127.0.0.1:{port}', 'Sec-Fetch-Site: cross-site']],
  ])('not %s', async (_who, headers) => {
    const lines = headers.map((line) => line.replace('{port}', String(proxy.port)));
    expect(await raw(['GET / HTTP/1.1', ...lines, 'Connection: close'])).toMatch(/^HTTP\/1\.1 403 /);
    expect(seen).toEqual([]);
    expect(uses).toBe(0);
  });

  it.each(['http://localhost:3000', 'http://127.0.0.1:8080', 'vscode-webview://a', 'chrome-extension://b'])(
    'what runs on this machine: %s',
    async (origin) => {
      expect(await get('/', [`Origin: ${origin}`])).toMatch(/^HTTP\/1\.1 200 /);
    },
  );
});

describe('without a pod', () => {
  it('503 before there is one, 502 with the reason while it is replaced, the new one after that', async () => {
    const early = await PodProxy.listen({ secret: 's', port: 0, hold: false });
    try {
      expect((await fetch(early.url)).status).toBe(503);
      problem = new DevloopError('POD_LOST', 'the pod is being replaced');
      early.follow(lease());
      const between = await fetch(early.url);
      expect({ status: between.status, body: await between.json() }).toEqual({
        status: 502,
        body: { error: 'the pod is being replaced' },
      });
      problem = undefined;
      expect(await (await fetch(early.url)).text()).toBe('hello');
    } finally {
      await early.close();
    }
  });

  it('502 when it does not answer', async () => {
    answer = (request) => request.socket.destroy();
    expect((await fetch(proxy.url)).status).toBe(502);
  });

  it.each([404, 502, 503, 530])('HTTP %i from the way to it makes the session look, once for many', async (status) => {
    answer = (_request, response) => response.writeHead(status).end();
    const answers = await Promise.all([1, 2, 3].map(() => fetch(proxy.url)));
    expect(answers.map((answered) => answered.status)).toEqual([status, status, status]);
    expect(reports).toEqual([expect.stringContaining(`HTTP ${status}`)]);
  });

  it('a connection that breaks makes the session look; what the pod itself answers does not, nor a slow one', async () => {
    for (const [status, via] of [
      [404, '1.1 Caddy'],
      [500, ''],
      [524, ''],
    ] as const) {
      answer = (_request, response) => response.writeHead(status, { via }).end();
      await fetch(proxy.url);
    }
    expect(reports).toEqual([]);
    answer = (request) => request.socket.destroy();
    await fetch(proxy.url);
    expect(reports).toHaveLength(1);
  });

  it('a port that is taken is found out at once', async () => {
    await expect(PodProxy.listen({ secret: 's', port: proxy.port, hold: false })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(`--port ${proxy.port}`) as string,
    });
  });
});
