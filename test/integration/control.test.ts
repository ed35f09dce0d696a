import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobReport, ListedJob } from '../../src/client/index.js';
import type { SessionStatus } from '../../src/contract/index.js';
import type { CostReport } from '../../src/cost/cost-report.js';
import type { Problem } from '../../src/control/problems.js';
import { CliPlace } from '../support/cli-place.js';
import type { ControlServer } from '../support/control-server.js';
import { ControlledStack, type EventReader } from '../support/control-server.js';
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

describe('who may ask', () => {
  it('the token is made once, in a file that only its owner can read', () => {
    expect(statSync(control.tokenFile).mode & 0o777).toBe(0o600);
    expect(control.token.length).toBeGreaterThan(32);
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer not-the-token-at-all' }],
    ['the token under another scheme', { authorization: 'Basic TOKEN' }],
  ])('not somebody with %s', async (_what, headers: Record<string, string>) => {
    const sent = Object.entries(headers).map(([name, value]) => [name, value.replace('TOKEN', control.token)] as const);
    const {
      status,
      type,
      body,
      headers: answered,
    } = await control.fetch('/jobs', {
      headers: Object.fromEntries(sent),
    });
    expect([status, body.code, answered.get('www-authenticate')]).toEqual([
      401,
      'CONTROL_UNAUTHORIZED',
      'Bearer realm="devloop"',
    ]);
    expect(type).toMatch(/^application\/problem\+json/);
  });

  it.each([
    ['under a name that points at this machine', { host: 'evil.example' }],
    ['from a page of another origin', { origin: 'https://evil.example' }],
    ['from a page of another server of this machine', { origin: 'http://localhost:3000' }],
    ['by an element of a foreign page', { 'sec-fetch-site': 'cross-site' }],
  ])('not somebody %s, even with the token', async (_how, headers: Record<string, string>) => {
    const authorization = control.authorization;
    expect(await control.statusFor({ ...headers, authorization }, '/jobs')).toBe(403);
    expect(await control.statusFor({ authorization }, '/jobs')).toBe(200);
  });

  it('whether it lives and is ready everybody of this machine may ask, and hears no more than that', async () => {
    expect(await control.fetch('/healthz')).toMatchObject({ status: 200, body: { ok: true } });
    expect(await control.fetch('/readyz')).toMatchObject({ status: 200, body: { ready: true } });
  });

  it('the token is in no log; requests are, with the id that the asker gave', async () => {
    const headers = { authorization: control.authorization, 'x-request-id': 'my-own-id' };
    const answer = await control.fetch('/jobs', { headers });
    expect(answer.headers.get('x-request-id')).toBe('my-own-id');
    await waitUntil(() => control.running.stderr.includes('my-own-id'), {
      what: 'the line in the log',
    });
    expect(control.running.stderr).not.toContain(control.token);
  });
});

describe('what is refused', () => {
  const post = (path: string, body: string, type = 'application/json') =>
    control.fetch<Problem>(path, {
      method: 'POST',
      headers: { authorization: control.authorization, 'content-type': type },
      body,
    });

  it.each([
    ['what is no JSON', '/jobs', '{"input":', 400, 'INVALID_INPUT'],
    ['a body that no job may have', '/jobs', JSON.stringify({ input: 'x'.repeat(400_000) }), 413, 'INPUT_TOO_LARGE'],
    ['an input above the limit', '/jobs', JSON.stringify({ input: 'x'.repeat(262_144) }), 413, 'INPUT_TOO_LARGE'],
    ['a runner', '/jobs', '{"input":"x","runner":{}}', 400, 'INVALID_INPUT'],
    ['no session', '/control/stop', '{}', 400, 'INVALID_INPUT'],
    ['a session that never was', '/control/stop', '{"session":"never-was"}', 404, 'SESSION_NOT_FOUND'],
  ])('%s', async (_what, path, body, status, code) => {
    const answer = await post(path, body);
    expect(answer).toMatchObject({ status, body: { status, code } });
    expect(answer.type).toMatch(/^application\/problem\+json/);
    expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
  });

  it('a wrong field is named, beside all others', async () => {
    const { body } = await post('/control/start', '{"session":"No","gpus":[""],"diskGb":1}');
    expect(body.errors?.map(({ field }) => field).sort()).toEqual(['diskGb', 'gpus.0', 'session']);
  });

  it('another media type than JSON', async () => {
    expect(await post('/jobs', 'input=x', 'application/x-www-form-urlencoded')).toMatchObject({ status: 415 });
  });

  it('a job that nobody submitted, a route and a method that are not served', async () => {
    expect(await control.call('GET', '/jobs/no-such-job')).toMatchObject({
      status: 404,
      body: { code: 'JOB_NOT_FOUND' },
    });
    expect(await control.call('GET', '/nowhere')).toMatchObject({ status: 404, body: { code: 'CONTROL_NO_ROUTE' } });
    const wrongMethod = await control.call('DELETE', '/jobs');
    expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'POST, GET']);
  });

  it('a session that cannot be had, with its own code to whoever waits for it', async () => {
    const input = { session: 'no-such-gpu', gpus: ['NVIDIA Nothing'] };
    const answer = await control.call('POST', '/control/start?wait=ready', input);
    expect(answer).toMatchObject({ status: 422, body: { code: 'GPU_UNKNOWN' } });
    expect(await live.podsOf('no-such-gpu')).toEqual([]);
    const poor = await control.call('POST', '/control/start?wait=ready', { session: 'poor', maxCostUsd: 1e-9 });
    expect(poor).toMatchObject({ status: 422, body: { code: 'INVALID_INPUT' } });
  });
});

describe('a session', { timeout: 300_000 }, () => {
  it('is started, waited for, used by a job that is submitted twice, and stopped; the stream tells of all', async () => {
    const started = await control.call<SessionStatus>('POST', '/control/start', { session: 'api', drainSeconds: 0 });
    expect(started).toMatchObject({ status: 202, body: { session: 'api', queued: 0 } });
    const ready = await control.call<SessionStatus>('POST', '/control/start?wait=ready', { session: 'api' });
    expect(ready).toMatchObject({ status: 200, body: { phase: 'ready' } });
    const listed = await control.call<{ sessions: SessionStatus[] }>('GET', '/control/sessions');
    expect(listed.body.sessions.map(({ session: name, pod }) => [name, pod?.id])).toEqual([
      ['api', ready.body.pod?.id],
    ]);
    const other = await control.call('POST', '/control/start', { session: 'api', gpus: ['NVIDIA A40'] });
    expect(other).toMatchObject({ status: 409, body: { code: 'SESSION_SPEC_CONFLICT' } });

    const job = { jobId: 'twice', session: 'api', input: 'Say hello.' };
    expect(await control.call('POST', '/jobs', job)).toMatchObject({ status: 202, body: { joined: false } });
    expect(await control.call('POST', '/jobs', job)).toMatchObject({
      status: 202,
      body: { jobId: 'twice', joined: true },
    });
    const done = await waitUntil(
      async () => {
        const { body } = await control.call<JobReport>('GET', '/jobs/twice');
        return body.status.phase === 'done' && body;
      },
      { what: 'the job is done' },
    );
    expect(done.result?.output).not.toBe('');
    expect(done.result?.podId).toBe(ready.body.pod?.id);
    const running = (await control.call<CostReport>('GET', '/costs?since=1d')).body;
    expect(running).toMatchObject({ perHourNowUsd: 0.69, jobs: [{ jobId: 'twice', session: 'api' }], problems: [] });
    expect(running.sessions.find(({ live: runs }) => runs)?.session).toBe('api');
    const [newest] = await waitUntil(
      async () => {
        const { body } = await control.call<{ jobs: ListedJob[] }>('GET', '/jobs?limit=1');
        return body.jobs[0]?.state === 'done' && body.jobs;
      },
      { what: 'the listing shows the end' },
    );
    expect(newest).toMatchObject({ jobId: 'twice', session: 'api' });
    expect(await control.call('POST', '/jobs/twice/cancel')).toMatchObject({
      status: 200,
      body: { status: { phase: 'done' } },
    });

    const stopped = await control.call('POST', '/control/stop', { session: 'api', reason: 'enough' });
    expect(stopped).toMatchObject({ status: 202, body: { session: 'api' } });
    await waitUntil(() => stream.phasesOf('api').includes('stopped'), {
      what: 'the stream says stopped',
    });
    expect(await live.podsOf('api')).toMatchObject([{ id: ready.body.pod?.id, status: 'TERMINATED' }]);
    expect(stream.phasesOf('api')).toEqual(expect.arrayContaining(['ready', 'stopped']));
    expect(
      stream.events.filter(({ event, data }) => event === 'job' && data.jobId === 'twice').at(-1)?.data.state,
    ).toBe('done');
    expect((await control.session('api')).stopReason).toContain('enough');
    const costs = await waitUntil(
      async () => {
        const { body } = await control.call<CostReport>('GET', '/costs');
        return body.sessions.some(({ session, live: runs }) => session === 'api' && !runs) && body;
      },
      { what: 'the listing shows the end' },
    );
    const paid = (await live.podsOf('api')).reduce((usd, pod) => usd + pod.costUsd, 0);
    expect(costs).toMatchObject({ perHourNowUsd: 0, problems: [] });
    expect(Math.abs(costs.totalUsd - paid)).toBeLessThan(0.01);
    expect(costs.shares.busyUsd).toBeGreaterThan(0);
    expect(await control.call('GET', '/costs?since=week')).toMatchObject({
      status: 400,
      body: { code: 'INVALID_INPUT' },
    });
    expect(await control.call('POST', '/control/stop', { session: 'api' })).toMatchObject({ status: 200 });
  });
});

describe('the command', () => {
  it.each([
    ['without a Temporal', ['control'], {}, /needs TEMPORAL_ADDRESS/],
    [
      'for other machines without a token set on purpose',
      ['control', '--host', '0.0.0.0'],
      { TEMPORAL_ADDRESS: '127.0.0.1:1' },
      /set DEVLOOP_CONTROL_TOKEN/,
    ],
    [
      'where it cannot listen',
      ['control', '--host', '203.0.113.1'],
      { TEMPORAL_ADDRESS: '127.0.0.1:1', DEVLOOP_CONTROL_TOKEN: 'sixteen-characters' },
      /cannot listen on 203\.0\.113\.1/,
    ],
  ])('%s exits 2 and names the way out', async (_what, args, env, message) => {
    const place = new CliPlace();
    const { code, stderr } = await place.run(args, env);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    await place.end();
  });
});
