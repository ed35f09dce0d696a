import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ControlledStack, ControlServer, type EventReader } from '../support/control-server.js';
import type { LiveStack } from '../support/live-stack.js';
import { waitUntil } from '../support/processes.js';

let all: ControlledStack;
let live: LiveStack;
let control: ControlServer;
let stream: EventReader;

beforeAll(async () => {
  all = await ControlledStack.start();
  ({ live, control, stream } = all);
});

afterAll(() => all.end());

describe('Temporal away', () => {
  it('is answered for with 503 and its code, the stream says so, and all comes back by itself, also to a server that began meanwhile', async () => {
    const restart = await live.kill('temporal');
    const beginning = ControlServer.start({ TEMPORAL_ADDRESS: live.stack.info.temporalAddress });
    const asked = control.call('GET', '/jobs');
    expect(await control.fetch('/readyz')).toMatchObject({ status: 503, body: { ready: false } });
    expect(await control.fetch('/healthz')).toMatchObject({ status: 200 });
    const refused = await asked;
    expect(refused).toMatchObject({ status: 503, body: { code: 'TEMPORAL_UNREACHABLE' } });
    expect(refused.headers.get('retry-after')).toBe('5');
    expect((await stream.says('problem')).data.code).toBe('TEMPORAL_UNREACHABLE');
    const late = await beginning;
    expect(await late.call('GET', '/jobs')).toMatchObject({ status: 503, body: { code: 'TEMPORAL_UNREACHABLE' } });
    const before = stream.events.length;
    restart();
    await stream.says('recovered', before);
    expect(await control.call('GET', '/jobs')).toMatchObject({ status: 200 });
    expect(await late.call('GET', '/jobs')).toMatchObject({ status: 200 });
    await late.end();
  });
});

describe('SIGTERM', () => {
  it('ends it at once, with a stream open and somebody waiting', async () => {
    await live.fault({ kind: 'boot-stuck' });
    const waiting = control.call('POST', '/control/start?wait=ready', { session: 'never-ready' });
    await waitUntil(async () => (await control.session('never-ready')).phase === 'booting', {
      what: 'it boots',
    });
    const startedAt = Date.now();
    control.running.child.kill('SIGTERM');
    expect(await waiting).toMatchObject({ status: 503, body: { code: 'CONTROL_BUSY' } });
    expect(await control.running.ended).toMatchObject({ code: 0 });
    expect(Date.now() - startedAt).toBeLessThan(30_000);
    await waitUntil(() => stream.ended, { what: 'the stream ends' });
    // It ends; the session does not.
    expect((await live.client.session('never-ready').status()).phase).toBe('booting');
  });
});
