import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { AxiosError, AxiosHeaders } from 'axios';
import { describe, expect, it } from 'vitest';
import { type CreatePodSpec, RunPodError } from '../../../src/runpod/index.js';
import { apiKey, clientWith, examplePod, failureOf, type FakeAnswer, type Handler, settle } from './support.js';

const spec: CreatePodSpec = {
  name: 'devloop.a.b.c.1.1',
  image: 'i',
  gpu: { id: 'g', count: 1 },
  cloud: 'SECURE',
  disk: 10,
  ports: ['11434/http'],
  env: { DEVLOOP_GATE_TOKEN: 'gate-token-value', DEVLOOP_MODEL: 'm' },
  args: 'x',
};
const page = (ids: string[], pagination?: object): FakeAnswer => ({
  body: { pods: ids.map((id) => ({ ...examplePod, id })), ...(pagination === undefined ? {} : { pagination }) },
});
const disconnect = (code: string, message = code) => new AxiosError(message, code);

describe('requests', () => {
  it('carry the key, an explicit user agent and a signal', async () => {
    let seen: Parameters<Handler>[0] | undefined;
    const { client } = clientWith((request) => {
      seen = request;
      return { status: 201, body: examplePod };
    });
    const pod = await client.createPod(spec);
    expect(pod.id).toBe('7h9k2m4n6p');
    expect(seen).toMatchObject({ method: 'POST', path: '/pods', body: spec });
    expect(seen?.headers).toMatchObject({ Authorization: `Bearer ${apiKey}`, 'User-Agent': 'devloop-test/1' });
    expect(seen?.signal).toBeInstanceOf(AbortSignal);
  });

  it('ask for the stock of pods with the cloud and count', async () => {
    const queries: unknown[] = [];
    const { client } = clientWith(({ path, query }) => {
      queries.push([path, query]);
      const gpu = {
        id: 'A B',
        name: 'AB',
        memory: '24',
        secure: true,
        community: false,
        price: { secure: '0.69', community: 0.3 },
      };
      return { body: path === '/catalog/gpus' ? { gpus: [{ ...gpu, availability: 'LOW' }] } : gpu };
    });
    const common = { id: 'A B', displayName: 'AB', memoryGb: 24, secureUsdPerHour: 0.69 };
    expect(await client.listGpus({ cloud: 'SECURE', count: 2 })).toEqual([{ ...common, availability: 'LOW' }]);
    expect(await client.getGpu('A B')).toEqual({ ...common, availability: 'UNKNOWN' });
    expect(queries).toMatchObject([
      ['/catalog/gpus', { include: 'AVAILABILITY', product: 'POD', cloud: 'SECURE', count: 2 }],
      ['/catalog/gpus/A%20B', { include: 'AVAILABILITY', product: 'POD' }],
    ]);
  });

  it.each([
    ['ECONNRESET', 'ambiguous'],
    ['ETIMEDOUT', 'ambiguous'],
    ['ECONNREFUSED', 'nothing-created'],
    ['ENOTFOUND', 'nothing-created'],
  ])('create is sent once when it ends with %s: %s', async (code, kind) => {
    let calls = 0;
    const { client } = clientWith(() => {
      calls += 1;
      throw disconnect(code);
    });
    const error = await failureOf<RunPodError>(client.createPod(spec));
    expect(error).toBeInstanceOf(RunPodError);
    expect(error.kind).toBe(kind);
    expect(calls).toBe(1);
  });

  it('tell a 404 of RunPod from one of the edge', async () => {
    let body: unknown = { title: 'Not Found', status: 404, detail: 'pod not found' };
    const { client } = clientWith(() => ({ status: 404, body }));
    expect(await client.getPod('x')).toBeUndefined();
    expect(await client.getGpu('x')).toBeUndefined();
    expect(await client.terminatePod('x')).toBe('not-found');
    body = '<html>not here</html>';
    expect((await failureOf<RunPodError>(client.getPod('x'))).kind).toBe('unavailable');
    expect((await failureOf<RunPodError>(client.terminatePod('x'))).kind).toBe('unavailable');
  });

  it('end at their own limit: a create that hangs is ambiguous', async () => {
    const { client, time } = clientWith(async () => await new Promise(() => undefined));
    const failure = failureOf<RunPodError>(client.createPod(spec));
    const deletion = failureOf<RunPodError>(client.terminatePod('x'));
    await time.advance(60_000);
    expect((await failure).kind).toBe('ambiguous');
    expect((await deletion).kind).toBe('unavailable');
    expect(time.sleeping).toBe(0);
  });

  it('end with the caller: before sending nothing leaves, after sending a create is ambiguous', async () => {
    let calls = 0;
    const { client } = clientWith(async () => {
      calls += 1;
      return await new Promise(() => undefined);
    });
    const caller = new AbortController();
    const create = failureOf<RunPodError>(client.createPod(spec, { signal: caller.signal }));
    const read = failureOf<RunPodError>(client.getPod('x', { signal: caller.signal }));
    const list = failureOf<RunPodError>(client.listPods({ signal: caller.signal }));
    await settle();
    caller.abort();
    expect([(await create).kind, (await read).kind, (await list).kind]).toEqual(['ambiguous', 'aborted', 'aborted']);
    expect(calls).toBe(3);
    expect((await failureOf<RunPodError>(client.createPod(spec, { signal: caller.signal }))).kind).toBe('aborted');
    expect((await failureOf<RunPodError>(client.listPods({ signal: caller.signal }))).kind).toBe('aborted');
    expect(calls).toBe(3);
  });

  it('wait out a 429 but let a delete go after a minute', async () => {
    let calls = 0;
    const { client, time } = clientWith(() => {
      calls += 1;
      return calls === 1
        ? { status: 429, headers: { 'Retry-After': '30' }, body: {} }
        : { status: 200, body: examplePod };
    });
    const start = time.now;
    const error = await failureOf<RunPodError>(client.getPod('x'));
    expect(error).toMatchObject({ kind: 'rate-limited', retryAt: start + 30_000 });
    const again = client.getPod('x').then(() => time.now - start);
    await time.advance(29_999);
    expect(calls).toBe(1);
    await time.advance(1);
    expect(await again).toBe(30_000);
  });

  it('say until when the quota is used up instead of waiting for an hour', async () => {
    const headers = { RateLimit: '"hour";r=0;t=1800', 'RateLimit-Policy': '"hour";q=3000;w=3600' };
    const { client, time } = clientWith(() => ({ headers, body: examplePod }));
    await client.getPod('x');
    const error = await failureOf<RunPodError>(client.getPod('x'));
    expect(error).toMatchObject({ kind: 'rate-limited', retryAt: time.now + 1_800_000 });
  });
});

describe('listPods', () => {
  it('follows the cursor to the last page', async () => {
    const cursors: unknown[] = [];
    const { client, time } = clientWith(({ query }) => {
      cursors.push(query.cursor);
      time.now += 10;
      if (query.cursor === undefined) return page(['a', 'b'], { nextCursor: 'c1', hasNextPage: true });
      return query.cursor === 'c1' ? page(['b', 'c'], { nextCursor: 'c2' }) : page(['d'], { nextCursor: null });
    });
    const start = time.now;
    const listing = await client.listPods();
    expect(listing.pods.map((pod) => pod.id)).toEqual(['a', 'b', 'c', 'd']);
    expect(cursors).toEqual([undefined, 'c1', 'c2']);
    expect(listing).toMatchObject({ begunAt: start, endedAt: start + 30 });
  });

  it.each<[string, FakeAnswer]>([
    ['a cursor that repeats', page(['a'], { nextCursor: 'same', hasNextPage: true })],
    ['more pages without a cursor', page(['a'], { hasNextPage: true })],
    ['a pod without an id', { body: { pods: [{ name: 'x' }] } }],
    ['no pods member', { body: { items: [] } }],
    ['unreadable paging', { body: { pods: [], pagination: 'yes' } }],
    ['an HTML page', { body: '<html>starting</html>' }],
    ['an empty body', { body: undefined }],
    ['a bare array', { body: [] }],
  ])('takes %s for an error, never for "no pods"', async (_name, answer) => {
    let calls = 0;
    // Without the client's own protection a repeating cursor would go on for ever: then another error ends it.
    const { client } = clientWith(() => (++calls > 10 ? { status: 500 } : answer));
    expect((await failureOf<RunPodError>(client.listPods())).kind).toBe('bad-answer');
  });

  it('fails as a whole when a later page does', async () => {
    const { client } = clientWith(({ query }) =>
      query.cursor === undefined ? page(['a'], { nextCursor: 'c1' }) : { status: 502, body: '<html>bad</html>' },
    );
    expect((await failureOf<RunPodError>(client.listPods())).kind).toBe('unavailable');
  });

  it('is shared by concurrent callers, and begun anew for who needs it later', async () => {
    let calls = 0;
    let release: (() => void) | undefined;
    const { client, time } = clientWith(async () => {
      calls += 1;
      await new Promise<void>((resolve) => (release = resolve));
      return page([`call-${calls}`]);
    });
    const early = [client.listPods(), client.listPods(), client.listPods({ begunAfter: time.now - 1 })];
    await settle();
    time.now += 5;
    const late = [client.listPods({ begunAfter: time.now }), client.listPods({ begunAfter: time.now })];
    release?.();
    const ids = async (listings: typeof early) => (await Promise.all(listings)).map(({ pods }) => pods[0]?.id);
    expect(await ids(early)).toEqual(['call-1', 'call-1', 'call-1']);
    await settle();
    release?.();
    expect(await ids(late)).toEqual(['call-2', 'call-2']);
    expect((await Promise.all(late))[0]?.begunAt).toBe(time.now);
  });

  it('warns once about each shape that the specification does not have', async () => {
    const warnings: object[] = [];
    const { client } = clientWith(
      () => ({
        body: {
          pods: [
            { ...examplePod, status: 'PAUSED' },
            { id: 'q', status: 'PAUSED' },
          ],
        },
      }),
      {
        logger: { warn: (facts) => warnings.push(facts) },
      },
    );
    const { pods } = await client.listPods();
    await client.listPods();
    expect(pods.map((pod) => pod.status)).toEqual(['UNKNOWN', 'UNKNOWN']);
    expect(warnings).toEqual([{ shape: 'pod status "PAUSED"' }]);
  });
});

describe('podLogs', () => {
  const event = (line: string) =>
    `id: 2026-06-01T12:02:03Z/1\ndata: ${JSON.stringify({ ts: 't', source: 'container', line })}\n\n`;

  it('returns the newest lines', async () => {
    const { client } = clientWith(({ path, query }) => {
      expect([path, query]).toMatchObject(['/pods/p%2F1/logs', { tail: 2, source: 'system' }]);
      return {
        headers: { 'content-type': 'text/event-stream' },
        body: `: hello\n${event('one')}${event('two')}data: nonsense\n${event('x'.repeat(900))}`,
      };
    });
    expect(await client.podLogs('p/1', { tail: 2, source: 'system' })).toEqual(['two', 'x'.repeat(500)]);
  });

  it('ends when a log that never ends falls quiet', async () => {
    const log = new Readable({ read: () => undefined });
    log.push(event('one'));
    const { client, time } = clientWith(() => ({}), {
      adapter: async (config) =>
        await Promise.resolve({ status: 200, statusText: '', headers: new AxiosHeaders(), config, data: log }),
    });
    const lines = client.podLogs('x');
    await time.advance(1000);
    log.push(event('two'));
    await time.advance(1499);
    expect(log.destroyed).toBe(false);
    await time.advance(1);
    expect(await lines).toEqual(['one', 'two']);
    expect(log.destroyed).toBe(true);
    expect(time.sleeping).toBe(0);
  });

  it('fails like any other read', async () => {
    const { client } = clientWith(() => ({ status: 404, body: { detail: 'resource not found' } }));
    expect((await failureOf<RunPodError>(client.podLogs('x'))).kind).toBe('gone');
  });

  it('takes an HTML page for no log', async () => {
    const { client } = clientWith(() => ({ headers: { 'content-type': 'text/html' }, body: '<html>hello</html>' }));
    expect((await failureOf<RunPodError>(client.podLogs('x'))).kind).toBe('bad-answer');
  });
});

describe('secrets', () => {
  const leaks = (error: Error) => {
    const text =
      inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error) + error.message + (error.stack ?? '');
    return text.includes(apiKey) || text.includes('gate-token-value');
  };

  it('stay out of errors even when the answer quotes them', async () => {
    const { client } = clientWith(({ headers }) => ({
      status: 422,
      body: { detail: `bad ${String(headers.Authorization)}`, errors: ['env: gate-token-value'] },
    }));
    const error = await failureOf<RunPodError>(client.createPod(spec));
    expect(error.detail).toBe('bad Bearer [redacted]; env: [redacted]');
    expect(leaks(error)).toBe(false);
  });

  it('stay out of errors of the connection', async () => {
    const { client } = clientWith(({ headers }) => {
      throw disconnect('ECONNRESET', `while sending ${String(headers.Authorization)}`);
    });
    for (const call of [client.createPod(spec), client.listPods(), client.podLogs('x'), client.terminatePod('x')]) {
      const error = await failureOf(call);
      expect(error).toBeInstanceOf(RunPodError);
      expect(leaks(error)).toBe(false);
    }
  });
});
