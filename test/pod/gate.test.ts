import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gateToken } from '../../src/runpod/index.js';
import { isMissing, needed } from '../support/binaries.js';
import { ModelServerStandIn } from './model-server-stand-in.js';
import { POD_ID, PodUnderTest, TOKEN } from './pod-under-test.js';
import { sendRaw } from './raw-http.js';

const refusal = { error: "the pod's token is missing or wrong" };
const ANOTHER_TOKEN = gateToken('the secret of this pod', 'devloop.o.another-session.r.1.1800000000');
const close = 'Connection: close\r\n\r\n';

/** Requests without the right token, byte for byte. */
const strangers: Record<string, string> = {
  'no token': `GET /api/tags HTTP/1.1\r\nHost: pod\r\n${close}`,
  'the front page': `GET / HTTP/1.1\r\nHost: pod\r\n${close}`,
  'a wrong token': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nAuthorization: Bearer wrong\r\n${close}`,
  'an empty token': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nAuthorization: Bearer \r\n${close}`,
  'a longer token': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nAuthorization: Bearer ${TOKEN}x\r\n${close}`,
  'a shorter token': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nAuthorization: Bearer ${TOKEN.slice(1)}\r\n${close}`,
  'the token in another letter case': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nAuthorization: Bearer ${TOKEN.toLowerCase()}\r\n${close}`,
  'a wildcard': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nAuthorization: Bearer *\r\n${close}`,
  'the placeholder itself': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nAuthorization: Bearer {env.DEVLOOP_GATE_TOKEN}\r\n${close}`,
  'another scheme': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nAuthorization: Basic ${TOKEN}\r\n${close}`,
  'the token as a query': `GET /api/tags?token=${TOKEN} HTTP/1.1\r\nHost: pod\r\n${close}`,
  'the status': `GET /devloop/status HTTP/1.1\r\nHost: pod\r\n${close}`,
  'a touch': `POST /devloop/touch HTTP/1.1\r\nHost: pod\r\nContent-Length: 0\r\n${close}`,
  'an unknown path of ours': `GET /devloop/x HTTP/1.1\r\nHost: pod\r\n${close}`,
  "another pod's token": `GET /api/tags HTTP/1.1\r\nHost: pod\r\nAuthorization: Bearer ${ANOTHER_TOKEN}\r\n${close}`,
  'two wrong tokens': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n${close}`,
  'the token and more in one header': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nAuthorization: Bearer a, Bearer ${TOKEN}\r\n${close}`,
  'the token in another header': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nX-Authorization: Bearer ${TOKEN}\r\nCookie: Authorization=Bearer ${TOKEN}\r\n${close}`,
  'a trace': `TRACE /api/tags HTTP/1.1\r\nHost: pod\r\n${close}`,
  'an old version without a host': 'GET /api/tags HTTP/1.0\r\n\r\n',
  'a websocket': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nConnection: Upgrade, close\r\n\r\n`,
  'two slashes': `GET //devloop/status HTTP/1.1\r\nHost: pod\r\n${close}`,
  'encoded dots': `GET /%2e%2e/api/tags HTTP/1.1\r\nHost: pod\r\n${close}`,
  'a way out of the open path': `GET /healthz/../api/tags HTTP/1.1\r\nHost: pod\r\n${close}`,
  'an encoded way out of the open path': `GET /healthz%2f..%2fapi/tags HTTP/1.1\r\nHost: pod\r\n${close}`,
  'below the open path': `GET /healthz/api/tags HTTP/1.1\r\nHost: pod\r\n${close}`,
  'the open path by another method': `POST /healthz HTTP/1.1\r\nHost: pod\r\nContent-Length: 0\r\n${close}`,
  'an odd method': `FOO /api/tags HTTP/1.1\r\nHost: pod\r\n${close}`,
  'a preflight': `OPTIONS /api/tags HTTP/1.1\r\nHost: pod\r\nOrigin: http://x\r\nAccess-Control-Request-Method: GET\r\n${close}`,
  'a tunnel': `CONNECT localhost:11434 HTTP/1.1\r\nHost: localhost:11434\r\n${close}`,
  'the model server as the host': `GET /api/tags HTTP/1.1\r\nHost: localhost:11434\r\n${close}`,
  'a foreign host': `GET /api/tags HTTP/1.1\r\nHost: example.org\r\n${close}`,
  'an absolute address': `GET http://127.0.0.1:11434/api/tags HTTP/1.1\r\nHost: 127.0.0.1:11434\r\n${close}`,
  'an upgrade': `GET /api/tags HTTP/1.1\r\nHost: pod\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\r\n`,
};

describe.skipIf(isMissing('caddy'))('the gate of a pod', () => {
  let model: ModelServerStandIn;
  let pod: PodUnderTest;
  const uses = () => pod.lines('use.log').length;

  beforeAll(async () => {
    model = new ModelServerStandIn();
    pod = await PodUnderTest.create({ api: 'ollama', programs: { caddy: needed('caddy'), ollama: model.program } });
    pod.start();
    await model.listen(pod);
    await pod.untilGateAnswers();
  });

  afterAll(async () => {
    await pod.destroy();
    await model.destroy();
  });

  beforeEach(() => {
    model.seen.length = 0;
  });

  it('answers its health to anybody, and that is no use of the pod', async () => {
    const before = uses();
    const answer = await pod.request('/healthz', {}, null);
    expect([answer.status, await answer.text()]).toEqual([200, 'ok']);
    await pod.request('/devloop/touch', { method: 'POST' });
    await pod.until('the touch is logged', () => uses() > before);
    expect(uses()).toBe(before + 1);
  });

  it.each(Object.entries(strangers))('refuses %s', async (_, request) => {
    const before = uses();
    const { status, body } = await sendRaw(pod.port, request);
    expect(status).toBe(401);
    expect(JSON.parse(body)).toEqual(refusal);
    expect(model.seen).toEqual([]);
    expect(uses()).toBe(before);
  });

  it.each([
    'Content-Length: 6\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  ])('lets no second request through behind a first one with "%s"', async (framing) => {
    const hidden = `GET /api/tags HTTP/1.1\r\nHost: pod\r\n${close}`;
    await sendRaw(pod.port, `GET /healthz HTTP/1.1\r\nHost: pod\r\n${framing}\r\n\r\n0\r\n\r\n${hidden}`);
    expect(model.seen).toEqual([]);
  });

  it('answers OPTIONS * itself: Go does so before any handler', async () => {
    expect(await sendRaw(pod.port, `OPTIONS * HTTP/1.1\r\nHost: pod\r\n${close}`)).toMatchObject({ body: '' });
    expect(model.seen).toEqual([]);
  });

  it('shows the pod to whoever has the token, and that is no use of it', async () => {
    const before = uses();
    const answer = await pod.request('/devloop/status');
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toEqual({
      podId: POD_ID,
      podName: 'devloop.test-00000000.default.run.1.1800000000',
      api: 'ollama',
      model: 'small',
      modelFile: false,
      gpuCount: 2,
      gpuVisible: expect.any(Boolean) as boolean,
      maxParallel: 2,
      deadman: {
        state: 'unarmed',
        problem: 'DEVLOOP_READY_BY is not a number of seconds',
        ready: false,
        idleSeconds: 0,
        inFlight: 0,
        endsAt: 0,
        seenAt: 0,
      },
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
    });
    expect(uses()).toBe(before);
  });

  it('has no other paths of its own', async () => {
    for (const path of ['/devloop', '/devloop/', '/devloop/use.log', '/devloop/../devloop/x', '/devloop/touch']) {
      expect((await pod.request(path)).status, path).toBe(404);
    }
    expect(model.seen).toEqual([]);
  });

  it('counts a touch as a use, and only a ready touch as ready', async () => {
    const post = (body: string) => pod.request('/devloop/touch', { method: 'POST', body });
    const before = uses();
    for (const body of ['', '{}', '{"ready": false}', '{"already": true}', 'ready']) {
      expect((await post(body)).status, body).toBe(204);
    }
    await pod.until('five uses are logged', () => uses() === before + 5);
    expect(pod.lines('ready.log')).toEqual([]);

    expect((await post('{"ready": true}')).status).toBe(204);
    await pod.until('the sixth use is logged', () => uses() === before + 6);
    await pod.until('ready is logged', () => pod.lines('ready.log').length === 1);
    expect(Date.now() - statSync(join(pod.state, 'use.log')).mtimeMs).toBeLessThan(60_000);
  });

  it.each(['with its length', 'in chunks'])('reads no more than a small body of a touch, sent %s', async (how) => {
    const body = 'x'.repeat(5000);
    const head = `POST /devloop/touch HTTP/1.1\r\nHost: pod\r\nAuthorization: Bearer ${TOKEN}\r\n`;
    const request =
      how === 'in chunks'
        ? `${head}Transfer-Encoding: chunked\r\n${close}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
        : `${head}Content-Length: ${body.length}\r\n${close}${body}`;
    const answer = await sendRaw(pod.port, request);
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toEqual({ error: 'the body of a touch is limited to 1 KiB' });
  });

  it('hands a request on as it is, but for the host and the token', async () => {
    const before = uses();
    const answer = await pod.request('/api/chat?x=%2F1', { method: 'POST', body: '{"model":"small"}' });
    expect(await answer.text()).toBe('the model server');
    expect(model.seen).toEqual([
      {
        line: 'POST /api/chat?x=%2F1',
        host: `127.0.0.1:${model.portGiven(pod)}`,
        authorization: undefined,
        body: '{"model":"small"}',
      },
    ]);
    await pod.until('the use is logged', () => uses() === before + 1);
  });

  it('keeps the token and the account key from the model server, and the token from every log and command line', async () => {
    await pod.request('/devloop/touch', { method: 'POST', headers: { 'x-note': 'kept out of the log as well' } });
    const environment = readFileSync(join(pod.dir, 'model-server-environment'), 'utf8');
    expect(environment).toContain('OLLAMA_NUM_PARALLEL');
    expect(environment).not.toMatch(/DEVLOOP_GATE_TOKEN|RUNPOD_API_KEY|DEVLOOP_POD_SCRIPTS/);
    const logs = [pod.log, ...pod.lines('use.log'), ...pod.lines('ready.log')].join('\n');
    const commands = pod.processes().map(({ command }) => command);
    expect(commands.length).toBeGreaterThan(3);
    expect([logs, ...commands, ...pod.lines('status.json')].join('\n')).not.toContain(TOKEN);
    expect(logs).not.toContain('kept out of the log');
  });
});
