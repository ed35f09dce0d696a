import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmulator, type RunningEmulator } from '../support/emulator.js';
import { podBody } from './core-world.js';
import { Account, until } from './real-pods.js';

let emulator: RunningEmulator;
let account: Account;

beforeAll(async () => {
  emulator = await startEmulator({ apiKey: 'my-key' });
  account = new Account(emulator, 'my-key');
});
afterAll(() => emulator.stop());

const ask = (pathAndQuery: string, init: RequestInit = {}): Promise<Response> =>
  fetch(emulator.url + pathAndQuery, init);
const withKey = { authorization: 'Bearer my-key' };

describe('the API over HTTP', () => {
  it('creates, lists, reads, changes and ends a pod, with headers on every answer', async () => {
    await emulator.settings({ provisioningSeconds: 60 });
    const created = await ask('/v2/pods', { method: 'POST', headers: withKey, body: JSON.stringify(podBody()) });
    expect(created.status).toBe(201);
    expect(created.headers.get('content-type')).toMatch(/^application\/json/);
    expect(created.headers.get('ratelimit')).toMatch(/^"minute";r=59;t=\d+, "hour";r=2999;t=\d+, "day";r=49999;t=\d+$/);
    expect(created.headers.get('ratelimit-policy')).toMatch(/^"minute";q=60;w=60/);
    expect(created.headers.get('x-request-id')).toBeTruthy();
    const { id } = (await created.json()) as { id: string };
    expect(await account.json('/pods')).toMatchObject({ pods: [{ id }], pagination: { hasNextPage: false } });
    const patch = { method: 'PATCH', body: JSON.stringify({ name: 'renamed ☃' }) };
    expect(await account.json(`/pods/${id}`, patch)).toMatchObject({ id, name: 'renamed ☃' });
    const ended = await account.fetch(`/pods/${id}`, { method: 'DELETE' });
    expect(ended.status).toBe(204);
    expect(await ended.text()).toBe('');
    expect(await emulator.ledger()).toMatchObject([{ id, status: 'TERMINATED' }]);
    await emulator.settings({ provisioningSeconds: 0.3 });
  });

  it.each<[string, number, string, RequestInit]>([
    ['no key', 401, '/v2/pods', {}],
    ['another scheme', 401, '/v2/pods', { headers: { authorization: 'Basic my-key' } }],
    ['an unknown path', 404, '/nowhere', {}],
    ['the root', 404, '/', {}],
    ['a broken escape', 400, '/v2/pods/%zz', { headers: withKey }],
    ['v1', 410, '/v1/pods', { headers: withKey }],
    ['a wrong method', 405, '/v2/pods', { method: 'DELETE', headers: withKey }],
    ['a body that is no JSON', 400, '/v2/pods', { method: 'POST', headers: withKey, body: '{' }],
    [
      'a body of another type',
      422,
      '/v2/pods',
      { method: 'POST', headers: { ...withKey, 'content-type': 'text/xml; charset=nonsense' }, body: '{}' },
    ],
    ['a huge body', 413, '/v2/pods', { method: 'POST', headers: withKey, body: 'x'.repeat(1_100_000) }],
    ['a very long id', 404, `/v2/pods/${'a'.repeat(5000)}`, { headers: withKey }],
    ['a property of all objects', 404, '/v2/pods/__proto__', { headers: withKey }],
  ])('%s: %i as problem+json with a request id', async (_what, status, url, init) => {
    const response = await ask(url, init);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(response.headers.get('x-request-id')).toBeTruthy();
    expect(await response.json()).toMatchObject({ status, title: expect.any(String) as string });
  });

  it('takes a body without a content type', async () => {
    const { port } = new URL(emulator.url);
    const socket = connect(Number(port), '127.0.0.1');
    const body = '{"action":"start"}';
    socket.write(
      `POST /v2/pods/x/action HTTP/1.1\r\nHost: x\r\nAuthorization: bearer my-key\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    const parts = await socket.setEncoding('utf8').toArray();
    expect(parts.join('')).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe('lost replies', () => {
  it('create-timeout-created: no answer, and the pod bills', async () => {
    await emulator.fault({ kind: 'create-timeout-created' });
    const before = (await emulator.ledger()).length;
    const create = { method: 'POST', body: JSON.stringify(podBody({ name: 'unheard' })) };
    const leave = new AbortController();
    const unheard = account.fetch('/pods', { ...create, signal: leave.signal }).then(
      () => 'answered',
      () => 'left',
    );
    await until('the pod', async () => (await emulator.ledger()).length > before);
    leave.abort();
    expect(await unheard).toBe('left');
    expect((await emulator.ledger()).slice(before)).toMatchObject([{ name: 'unheard', terminatedAt: null }]);
    expect((await emulator.requests()).at(-1)).toMatchObject({ method: 'POST', status: 0 });
  });

  it('connection-cut and reply-cut: the socket is destroyed', async () => {
    await emulator.fault({ kind: 'connection-cut' });
    await expect(account.fetch('/pods')).rejects.toThrow();
    await emulator.fault({ kind: 'reply-cut', match: { method: 'DELETE' } });
    const { pods } = (await account.json('/pods')) as { pods: { id: string }[] };
    await expect(account.remove(pods[0]!.id)).rejects.toThrow();
    expect((await account.fetch(`/pods/${pods[0]!.id}`)).status).toBe(404);
  });
});

describe('/admin', () => {
  it('needs no key and clears faults', async () => {
    await emulator.fault({ kind: 'server-error', forSeconds: 60 });
    expect((await account.fetch('/pods')).status).toBe(503);
    await emulator.clearFaults();
    expect((await account.fetch('/pods')).status).toBe(200);
  });

  const outward = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
  it.runIf(outward)('is closed to callers from other addresses, where the API is open', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'devloop-emulator-'));
    const open = await run(['--host', '0.0.0.0', '--port', '0', '--data-dir', folder, '--json'], async (line) => {
      const { port } = new URL((JSON.parse(line) as { url: string }).url);
      const from = (address: string, what: string) => fetch(`http://${address}:${port}${what}`).then((r) => r.status);
      expect(await from('127.0.0.1', '/admin/ledger')).toBe(200);
      expect(await from(outward!, '/admin/ledger')).toBe(403);
      expect(await from(outward!, '/v2/pods')).toBe(401);
    });
    expect(open.code).toBe(0);
    await rm(folder, { recursive: true });
  });
});

/** Runs the command itself. With `whenUp` it is ended by SIGTERM after that; otherwise it has to end by itself. */
async function run(
  args: string[],
  whenUp?: (line: string) => Promise<void>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const main = process.env.DEVLOOP_EMULATOR_MAIN ?? path.resolve(import.meta.dirname, '../../dist/emulator/main.js');
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  try {
    if (whenUp) {
      await until('its line', () => stdout.includes('\n') || undefined);
      await whenUp(stdout.split('\n')[0]!);
    }
  } finally {
    if (whenUp) child.kill('SIGTERM');
    await exited;
  }
  return { code: child.exitCode, stdout, stderr };
}

describe('the command', () => {
  const oneLine = /^emulator: [^\n]+\n$/;

  it('prints one JSON line with --json, one line for people without, and ends with 0', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'devloop-emulator-'));
    const json = await run(['--port', '0', '--data-dir', folder, '--json'], (line) => {
      const { url, pid, dataDir, ledgerFile } = JSON.parse(line) as Record<string, unknown>;
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect(pid).toEqual(expect.any(Number));
      expect({ dataDir, ledgerFile }).toEqual({ dataDir: folder, ledgerFile: path.join(folder, 'ledger.json') });
      return Promise.resolve();
    });
    expect(json).toMatchObject({ code: 0, stderr: '' });
    const plain = await run(['--port', '0', '--data-dir', folder], () => Promise.resolve());
    expect(plain).toMatchObject({ code: 0, stderr: '' });
    expect(plain.stdout.trim().split('\n')).toHaveLength(1);
    expect((await stat(path.join(folder, 'account.jsonl'))).mode & 0o777).toBe(0o600);
    await rm(folder, { recursive: true });
  });

  it('shows help with examples', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/--data-dir[\s\S]*Examples:/);
  });

  it.each([
    [['--port', 'abc'], /--port/],
    [['--port', '70000'], /--port/],
    [['--api-key', ' '], /--api-key/],
    [['--bogus'], /--bogus/],
  ])('refuses %j with 2', async (args, message) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('says that a port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const folder = await mkdtemp(path.join(tmpdir(), 'devloop-emulator-'));
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await run(['--port', String(port), '--data-dir', folder]);
    other.close();
    expect(code).toBe(2);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toMatch(new RegExp(`port ${port} .*in use.*--port`));
    await rm(folder, { recursive: true });
  });

  it('says that the data directory is in use, and is not impressed by a dead owner', async () => {
    const { code, stderr } = await run(['--port', '0', '--data-dir', emulator.dataDir]);
    expect(code).toBe(2);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain(`pid ${emulator.pid}`);
    const folder = await mkdtemp(path.join(tmpdir(), 'devloop-emulator-'));
    await writeFile(path.join(folder, 'emulator.pid'), JSON.stringify({ pid: process.pid, startedAt: 'long ago' }));
    expect((await run(['--port', '0', '--data-dir', folder], () => Promise.resolve())).code).toBe(0);
    await rm(folder, { recursive: true });
  });

  const bill = '{"pods":[{"id":"x"}]}';
  it.each<[string, string, Record<string, string>]>([
    ['a ledger that is no JSON', 'ledger.json', { 'ledger.json': 'nonsense' }],
    ['half a ledger', 'ledger.json', { 'ledger.json': '{"pods":[' }],
    ['an empty ledger', 'ledger.json', { 'ledger.json': '' }],
    ['another JSON', 'ledger.json', { 'ledger.json': '{"pods":1}' }],
    ['a bill without an account', 'account.jsonl', { 'ledger.json': bill }],
    ['an empty account', 'account.jsonl', { 'account.jsonl': '' }],
    ['a broken line', 'account.jsonl is damaged in line 2', { 'account.jsonl': '{"version":1}\nnonsense\n' }],
    ['a pod without an id', 'line 2', { 'account.jsonl': '{"version":1}\n{"pod":{"name":"x"}}\n' }],
    ['a later version', 'line 1', { 'account.jsonl': '{"version":2}\n' }],
  ])('refuses %s and leaves it as it is', async (_what, named, files) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'devloop-emulator-'));
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
    const { code, stderr } = await run(['--port', '0', '--data-dir', folder]);
    expect(code).toBe(2);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain(named);
    expect(stderr).toContain('--data-dir');
    for (const [name, text] of Object.entries(files)) {
      expect(await readFile(path.join(folder, name), 'utf8')).toBe(text);
    }
    await rm(folder, { recursive: true });
  });

  it('says that the data directory cannot be one, or the ledger not be read', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'devloop-emulator-'));
    await writeFile(path.join(folder, 'file'), '');
    const blocked = await run(['--port', '0', '--data-dir', path.join(folder, 'file', 'below')]);
    expect(blocked.code).toBe(2);
    expect(blocked.stderr).toMatch(oneLine);
    expect(blocked.stderr).toMatch(/--data-dir/);
    await mkdir(path.join(folder, 'ledger.json'));
    const unreadable = await run(['--port', '0', '--data-dir', folder]);
    expect(unreadable.code).toBe(2);
    expect(unreadable.stderr).toMatch(oneLine);
    await rm(folder, { recursive: true });
  });

  it('ends at once although callers hold streams and unanswered calls', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'devloop-emulator-'));
    const other = await startEmulator({ dataDir: folder });
    await other.fault({ kind: 'hang', match: { path: '/catalog' } });
    const hanging = new Account(other).fetch('/catalog/gpus').catch(() => 'cut');
    const id = await new Account(other).create({ args: '' });
    const stream = await new Account(other).fetch(`/pods/${id}/logs`);
    const before = Date.now();
    await other.stop();
    expect(Date.now() - before).toBeLessThan(30_000);
    expect(await hanging).toBe('cut');
    await stream.text().catch(() => 'cut');
    await rm(folder, { recursive: true });
  });
});
