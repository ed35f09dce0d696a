import { connect } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { DevloopError } from '../../../src/contract/index.js';
import { bearerToken } from '../../../src/control/auth.js';
import { startControl, type Control } from '../../../src/control/control.js';
import { InFlight } from '../../../src/control/in-flight.js';
import { operation } from '../../../src/control/operation.js';
import { buildServer } from '../../../src/control/server.js';

const TOKEN = 'a-token-of-sixteen';
const authorization = `Bearer ${TOKEN}`;
const log = pino({ level: 'silent' });

describe('a request that is waited for', () => {
  const inFlight = new InFlight();
  let reason: Promise<unknown>;
  const waits = operation({
    method: 'GET',
    path: '/waits',
    id: 'waits',
    summary: '',
    answers: { 200: { description: '', schema: z.object({}) } },
    codes: [],
    run: ({ signal }) => {
      reason = new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          resolve(signal.reason);
        });
      });
      entered();
      return reason.then((error) => Promise.reject(error as Error));
    },
  });
  let entered: () => void;
  const app = buildServer({
    operations: [waits],
    authenticate: bearerToken(TOKEN),
    inFlight,
    listensOn: '127.0.0.1',
    log,
  });

  it('is given up when the asker hangs up', async () => {
    const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    const arrived = new Promise<void>((resolve) => (entered = resolve));
    const socket = connect(Number(url.port), '127.0.0.1');
    socket.write(`GET /waits HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: ${authorization}\r\n\r\n`);
    await arrived;
    socket.destroy();
    expect(await reason).toMatchObject({ message: 'the asker has hung up' });
  });

  it('is answered when the server ends, and nobody else enters', async () => {
    const arrived = new Promise<void>((resolve) => (entered = resolve));
    const waiting = app.inject({ path: '/waits', headers: { authorization, host: 'localhost' } });
    await arrived;
    inFlight.refuseOthers();
    inFlight.abort();
    expect((await waiting).json()).toMatchObject({ status: 503, code: 'CONTROL_BUSY' });
    const late = await app.inject({ path: '/waits', headers: { authorization, host: 'localhost' } });
    expect([late.statusCode, late.headers['retry-after']]).toEqual([503, '5']);
    await app.close();
  });
});

describe('the document', () => {
  let control: Control;
  let document: Document;

  interface Document {
    openapi: string;
    paths: Record<
      string,
      Record<string, { operationId: string; responses: Record<string, unknown>; security?: unknown }>
    >;
    components: { schemas: Record<string, { properties?: Record<string, unknown>; not?: unknown }> };
  }

  beforeEach(async () => {
    const connect = () => Promise.reject(new DevloopError('TEMPORAL_UNREACHABLE', 'away'));
    control = await startControl({ connect, host: '127.0.0.1', port: 0, token: TOKEN, log });
    document = (await (await fetch(`${control.url}/openapi.json`, { headers: { authorization } })).json()) as Document;
  });

  afterEach(() => control.close());

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => ({ path, method, ...described })),
    );

  it('is OpenAPI 3.1 in which every reference leads somewhere', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, to]) => to);
    expect(references.length).toBeGreaterThan(20);
    for (const to of references) {
      expect(Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)).toContain(to);
    }
  });

  it('has every route under an id of its own', () => {
    const ids = operations().map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(operations().map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining([
        'post /control/start',
        'post /control/stop',
        'post /jobs',
        'get /events',
        'get /openapi.json',
      ]),
    );
  });

  it('says 401 of every route but those that are open, which answer without a token', async () => {
    for (const { path, method, responses, security } of operations()) {
      const isOpen = path === '/healthz' || path === '/readyz';
      expect([path, '401' in responses, security !== undefined]).toEqual([path, !isOpen, isOpen]);
      const { status } = await fetch(control.url + path.replace(/\{\w+\}/, 'x'), { method });
      expect([path, status === 401]).toEqual([path, !isOpen]);
    }
  });

  it('shows what the contract refuses by functions: an image with a template', () => {
    const { PodSessionInput, JobSubmission } = document.components.schemas;
    expect(PodSessionInput?.not).toEqual({ required: ['image', 'templateId'] });
    expect(JobSubmission?.properties?.sessionOptions).toMatchObject({ not: { required: ['image', 'templateId'] } });
  });
});
