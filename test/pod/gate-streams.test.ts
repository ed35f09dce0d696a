import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing, needed } from '../support/binaries.js';
import { ModelServerStandIn } from './model-server-stand-in.js';
import { PodUnderTest } from './pod-under-test.js';

describe.skipIf(isMissing('caddy'))('requests in flight at the gate', () => {
  let model: ModelServerStandIn;
  let pod: PodUnderTest;

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

  async function askAdmin(headers: Record<string, string>): Promise<Response> {
    const admin = pod.lines('gate-admin').join('');
    return fetch(`http://${admin}/reverse_proxy/upstreams`, { headers });
  }

  /** An upstream that is a placeholder has two rows while it is asked: by the placeholder and by what that stands for. */
  async function inFlight(): Promise<number> {
    const origin = `http://${pod.lines('gate-admin').join('')}`;
    const upstreams = (await (await askAdmin({ origin })).json()) as { num_requests: number }[];
    return Math.max(...upstreams.map((upstream) => upstream.num_requests));
  }

  it.each(['application/x-ndjson', 'text/event-stream', 'text/plain'])(
    'pass on a stream of %s piece by piece, are counted, and become a use when they end',
    async (type) => {
      let stream: ServerResponse | undefined;
      model.answer = (_, response) => {
        stream = response.writeHead(200, { 'content-type': type });
        stream.write('first\n');
      };
      const before = pod.lines('use.log').length;
      const answer = await pod.request('/stream');
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
      expect((await reader.read()).value).toBe('first\n');
      expect(await inFlight()).toBe(1);
      expect(pod.lines('use.log')).toHaveLength(before);

      stream!.end('last\n');
      expect((await reader.read()).value).toBe('last\n');
      expect((await reader.read()).done).toBe(true);
      await pod.until('the use is logged', () => pod.lines('use.log').length === before + 1);
      await pod.until('nothing is in flight', async () => (await inFlight()) === 0);
    },
  );

  it.each(['before the first byte', 'in the middle of the stream'])(
    'end at the model server when the client leaves %s',
    async (when) => {
      let closed = false;
      let arrived = false;
      model.answer = (_, response) => {
        arrived = true;
        response.once('close', () => (closed = true));
        if (when !== 'before the first byte') response.write('first\n');
      };
      const client = new AbortController();
      const answer = pod.request('/long', { signal: client.signal });
      answer.catch(() => undefined);
      await pod.until('the request has arrived', () => arrived);
      if (when !== 'before the first byte') await (await answer).body!.getReader().read();
      expect(closed).toBe(false);
      client.abort();
      await pod.until('the model server sees the client leave', () => closed);
    },
  );

  it('can be counted by nobody who does not name the admin endpoint as the origin', async () => {
    expect((await askAdmin({})).status).toBe(403);
    expect((await askAdmin({ origin: 'http://example.org' })).status).toBe(403);
  });

  it('are answered with JSON while there is no model server', async () => {
    await model.close();
    const answer = await pod.request('/api/tags');
    expect(answer.status).toBe(502);
    expect(await answer.json()).toEqual({ error: 'the model server does not answer' });
  });
});
