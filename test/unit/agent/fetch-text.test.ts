import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchText } from '../../../src/agent/tools/fetch-text.js';
import { isPublicAddress } from '../../../src/agent/tools/public-lookup.js';

let server: Server;
let answer: RequestListener;
const seen: string[] = [];

beforeEach(async () => {
  seen.length = 0;
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const port = () => (server.address() as AddressInfo).port;
const host = () => `127.0.0.1:${port()}`;
const read = (url: string, hosts = [host()], signal = new AbortController().signal) => fetchText(url, hosts, signal);
const send =
  (status: number, headers: Record<string, string>, body: string | Buffer = ''): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);

describe('reading from the web', () => {
  it.each(['text/plain; charset=utf-8', 'application/json', 'application/ld+json', 'text/html'])(
    'gives the text of %s',
    async (type) => {
      answer = send(200, { 'content-type': type }, 'grün');
      expect(await read(`http://${host()}/a?b=1`)).toBe('grün');
      expect(seen).toEqual(['GET /a?b=1']);
    },
  );

  it.each([
    ['another port', () => 'http://127.0.0.1:1/'],
    ['another name of the same machine', () => `http://localhost:${port()}/`],
    ['a number for an address', () => `http://2130706434:${port()}/`],
    ['a user in front', () => `http://${host()}@127.0.0.1:1/`],
    ['a user on the host', () => `http://user:secret@${host()}/`],
    ['another scheme', () => `ftp://${host()}/`],
    ['a file', () => 'file:///etc/passwd'],
    ['no address', () => 'weather'],
  ])('refuses %s', async (_what, url) => {
    answer = send(200, { 'content-type': 'text/plain' }, 'x');
    await expect(read(url())).rejects.toThrow(/is not one of|only https|with a user|no address/);
    expect(seen).toEqual([]);
  });

  it('does not follow a name on the list to a private address', async () => {
    answer = send(200, { 'content-type': 'text/plain' }, 'x');
    const name = `localhost:${port()}`;
    await expect(read(`http://${name}/`, [name])).rejects.toThrow(/localhost leads to a private address/);
    expect(seen).toEqual([]);
  });

  it('follows redirects on the list only, and not for ever', async () => {
    answer = (request, response) =>
      request.url === '/end'
        ? send(200, { 'content-type': 'text/plain' }, 'there')(request, response)
        : send(302, {
            location: request.url === '/off' ? 'http://127.0.0.1:1/secret' : request.url === '/on' ? '/end' : '/round',
          })(request, response);
    expect(await read(`http://${host()}/on`)).toBe('there');
    await expect(read(`http://${host()}/off`)).rejects.toThrow(/127\.0\.0\.1:1 is not one of/);
    await expect(read(`http://${host()}/round`)).rejects.toThrow(/more than 3 redirects/);
    expect(seen.filter((request) => request === 'GET /round')).toHaveLength(4);
  });

  it('cuts what is too long, unpacked or not', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const more = (): void => void (response.destroyed || setImmediate(() => response.write('x'.repeat(8192), more)));
      more();
    };
    const text = await read(`http://${host()}/`);
    expect(text).toMatch(/^x{16000}\n\[cut here\]$/);
  });

  it.each([
    ['a picture', send(200, { 'content-type': 'image/png' }, 'x'), /not text \(content type: image\/png\)/],
    ['no content type', send(200, {}, 'x'), /content type: none/],
    ['an error', send(500, { 'content-type': 'text/plain' }, 'x'), /answered 500/],
    ['a cut connection', (_request, response) => response.socket?.destroy(), /other side closed|socket/],
  ])('refuses %s', async (_what, given, message) => {
    answer = given;
    await expect(read(`http://${host()}/`)).rejects.toThrow(message);
  });

  it('ends with the run', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    answer = () => {
      controller.abort(reason);
    };
    await expect(read(`http://${host()}/`, [host()], controller.signal)).rejects.toBe(reason);
  });
});

describe('an address', () => {
  it.each([
    '127.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
    expect(isPublicAddress(`::ffff:${address}`)).toBe(false);
  });
  it.each(['::1', '::', 'fe80::1', 'fd00::1', 'ff02::1', '64:ff9b::a00:1', '2002:a00:1::'])(
    '%s is not public',
    (address) => {
      expect(isPublicAddress(address)).toBe(false);
    },
  );
  it.each(['1.1.1.1', '93.184.216.34', '2606:4700:4700::1111'])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});
