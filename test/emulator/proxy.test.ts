import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type RunningEmulator } from '../support/emulator.js';
import { Account, go, until, WAIT_FOR_GO } from './real-pods.js';

/**
 * One service for all tests: echoes what it got, streams slowly, breaks off, or says nothing. It prints what it says nothing
 * to, and when a caller has left.
 */
const service = `
  const http = require('http');
  http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    response.on('close', () => console.log('closed ' + pathname + ' ' + response.writableFinished));
    if (pathname === '/silent') return console.log('got /silent');
    if (pathname === '/drip') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let count = 0;
      const timer = setInterval(() => response.write('data: ' + ++count + '\\n\\n'), 100);
      response.on('close', () => clearInterval(timer));
      return;
    }
    if (pathname === '/cut') {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half');
      setTimeout(() => response.destroy(), 100);
      return;
    }
    if (pathname === '/mirror') { response.writeHead(200); request.pipe(response); return; }
    if (pathname === '/teapot') {
      response.writeHead(418, 'I am a teapot', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Odd', 'Ünï']);
      return response.end();
    }
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
    });
  }).listen(PORT, '127.0.0.1');`;

let emulator: RunningEmulator;
let account: Account;
let id: string;

beforeAll(async () => {
  emulator = await startEmulator();
  account = new Account(emulator);
  await emulator.settings({ quota: null, stopGraceSeconds: 0.3 });
  id = await account.node(service, { ports: ['8000/http', '8001/http', '9000', '22/tcp'] });
  await account.served(id);
});
afterAll(() => emulator.stop());

interface Echo {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

describe('what arrives', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '%s with its path, query, headers and body',
    async (method) => {
      const body = method === 'GET' ? null : 'the body';
      const response = await account.proxy(id, '/api/a%2Fb//c?x=1&x=2&y=%20', {
        method,
        headers: { authorization: 'Bearer of-the-gate', 'x-mine': 'yes' },
        body,
      });
      const echo = (await response.json()) as Echo;
      expect(echo).toMatchObject({ method, url: '/api/a%2Fb//c?x=1&x=2&y=%20', body: body ?? '' });
      expect(echo.headers).toMatchObject({
        host: `${id}-8000.proxy.runpod.net`,
        authorization: 'Bearer of-the-gate',
        'x-mine': 'yes',
      });
      expect(response.headers.get('content-type')).toBe('application/json');
    },
  );

  it('is / for a path that ends at the port', async () => {
    const echo = (await (await account.proxy(id, '')).json()) as Echo;
    expect(echo.url).toBe('/');
  });

  it('comes back with its own status, text and repeated headers', async () => {
    const response = await account.proxy(id, '/teapot');
    expect(response.status).toBe(418);
    expect(response.statusText).toBe('I am a teapot');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('may be larger than what the API takes', async () => {
    const body = 'x'.repeat(3 * 1024 * 1024);
    const response = await account.proxy(id, '/mirror', { method: 'POST', body });
    expect((await response.text()).length).toBe(body.length);
  });
});

describe('streams', () => {
  it('reach the caller as they are written', async () => {
    const leave = new AbortController();
    const response = await account.proxy(id, '/drip', { signal: leave.signal });
    // The answer never ends: all that is read came on its way.
    const stream = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const { value: first } = (await stream.read()) as { value: string };
    expect(first).toMatch(/^data: 1\n/);
    leave.abort();
    await account.line(id, /^(closed \/drip false)$/);
  });

  it('reach the service as they are sent, before the request is whole', async () => {
    const { port } = new URL(emulator.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST /proxy/${id}/8000/mirror HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`,
    );
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    await until('the first part back', () => text.includes('first'));
    socket.write('6\r\nsecond\r\n0\r\n\r\n');
    await until('the second part back', () => text.includes('second'));
    socket.destroy();
  });

  it('that a service breaks off do not look whole', async () => {
    const response = await account.proxy(id, '/cut');
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });

  it('that a caller leaves before the head are closed at the service at once', async () => {
    const leave = new AbortController();
    const asked = account.proxy(id, '/silent', { signal: leave.signal }).catch(() => 'left');
    await account.line(id, /^got \/silent$/);
    leave.abort();
    expect(await asked).toBe('left');
    await account.line(id, /^(closed \/silent false)$/);
  });

  it('end with the pod', async () => {
    const dying = await account.node(service);
    await account.served(dying);
    const response = await account.proxy(dying, '/drip');
    const broken = expect(response.text()).rejects.toThrow();
    await account.remove(dying);
    await broken;
    expect((await account.proxy(dying)).status).toBe(404);
  });
});

describe('the proxy’s own answers', () => {
  it.each<[string, number, () => Promise<Response>]>([
    ['an undeclared port', 404, () => account.proxy(id, '/', {}, 8080)],
    ['a port declared without /http', 404, () => account.proxy(id, '/', {}, 9000)],
    ['a tcp port', 404, () => account.proxy(id, '/', {}, 22)],
    ['an unknown pod', 404, () => account.proxy('nobody', '/')],
    ['no port at all', 404, () => fetch(`${emulator.url}/proxy/${id}`)],
    ['a declared port where nothing listens', 502, () => account.proxy(id, '/', {}, 8001)],
  ])('%s: %i as HTML', async (_what, status, ask) => {
    const response = await ask();
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await response.text()).toMatch(/^<!DOCTYPE html>/);
  });

  it('502 until the service listens, and for a stopped pod', async () => {
    const late = await account.node(service, { args: `${WAIT_FOR_GO}; exec node -e "$SCRIPT"` });
    expect((await account.proxy(late)).status).toBe(502);
    await until('RUNNING', async () => (await account.status(late)) === 'RUNNING');
    expect((await account.proxy(late)).status).toBe(502);
    go(emulator, late);
    expect((await account.served(late)).status).toBe(200);
    await account.act(late, 'stop');
    expect((await account.proxy(late)).status).toBe(502);
    await account.remove(late);
  });

  it('524 when there is no head in time, but a slow stream is left alone', async () => {
    await emulator.settings({ proxyTimeoutSeconds: 3 });
    expect((await account.proxy(id, '/silent')).status).toBe(524);
    const leave = new AbortController();
    const response = await account.proxy(id, '/drip', { signal: leave.signal });
    const reader = response.body!.getReader();
    let text = '';
    await until('what comes after that time', async () => {
      text += Buffer.from((await reader.read()).value).toString();
      return text.includes('data: 40');
    });
    leave.abort();
    await emulator.settings({ proxyTimeoutSeconds: 100 });
  });

  it('faults: 524, a page of any status, a cut connection', async () => {
    await emulator.fault({ kind: 'proxy-524' });
    expect((await account.proxy(id)).status).toBe(524);
    await emulator.fault({ kind: 'proxy-html', status: 200, match: { podId: id } });
    expect(await (await account.proxy(id)).text()).toMatch(/^<!DOCTYPE html>/);
    await emulator.fault({ kind: 'proxy-cut', match: { path: '/healthz' } });
    expect((await account.proxy(id)).status).toBe(200);
    await expect(account.proxy(id, '/healthz')).rejects.toThrow();
  });

  it('are not counted as calls to the API', async () => {
    expect((await emulator.requests()).some((request) => request.path.startsWith('/proxy'))).toBe(false);
  });
});

it('survives callers that send nonsense', async () => {
  const { port } = new URL(emulator.url);
  for (const nonsense of [
    '\0\0\0\r\n\r\n',
    `GET /proxy/${id}/8000/%zz HTTP/1.1\r\n\r\n`,
    'GET /proxy//8000/ HTTP/1.1\r\nHost: x\r\n\r\n',
  ]) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(nonsense);
    socket.resume();
    await once(socket, 'close');
  }
  expect((await account.proxy(id)).status).toBe(200);
});
