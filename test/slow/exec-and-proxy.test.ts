import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DevloopClient } from '../../src/client/index.js';
import type { LedgerPod } from '../support/emulator.js';
import { CliPlace, type Ended } from '../support/cli-place.js';
import { freezeBelow, waitUntil } from '../support/processes.js';

/** Asks for an answer as OpenAI's SDKs do, which both model servers understand. */
const ASK = `
const { OPENAI_BASE_URL, OPENAI_API_KEY } = process.env;
const headers = { authorization: 'Bearer ' + OPENAI_API_KEY, 'content-type': 'application/json' };
const base = { headers };
const { data } = await (await fetch(OPENAI_BASE_URL + '/models', base)).json();
const body = JSON.stringify({ model: data[0].id, max_tokens: 8, messages: [{ role: 'user', content: 'Say hello.' }] });
const answer = await (await fetch(OPENAI_BASE_URL + '/chat/completions', { ...base, method: 'POST', body })).json();
console.log('the model says: ' + answer.choices[0].message.content.length + ' characters');
`;

/** Asks the pod for more than twice the idle time. */
const KEEP_ASKING = `
const until = Date.now() + 45_000;
while (Date.now() < until) {
  const { status } = await fetch(process.env.OPENAI_BASE_URL + '/models');
  if (status !== 200) process.exit(3);
  await new Promise((resolve) => setTimeout(resolve, 500));
}`;

const place = new CliPlace();
let client: DevloopClient;

beforeAll(async () => {
  await place.start(['dev']).says('Web UI');
  await waitUntil(() => place.stack, { what: 'the stack is up' });
  const { temporalAddress: address, namespace } = place.stack;
  client = await DevloopClient.connect({ address, namespace });
});

afterAll(async () => {
  await client.close();
  await place.end();
});

const exec = (session: string, ...command: string[]): Promise<Ended> =>
  place.run(['exec', '--session', session, '--idle-timeout', '20s', '--', ...command]);

async function podsOf(session: string): Promise<LedgerPod[]> {
  const { pods } = (await (await fetch(`${place.stack.emulatorUrl}/admin/ledger`)).json()) as { pods: LedgerPod[] };
  return pods.filter(({ name }) => name.split('.')[2] === session);
}

const isGone = async (session: string): Promise<boolean> => {
  const pods = await podsOf(session);
  return pods.length > 0 && pods.every(({ terminatedAt }) => terminatedAt !== null);
};

/** As a page of the web does that points its own name at this machine: fetch would not let us. */
function statusFor(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .once('error', reject)
      .end();
  });
}

describe('devloop exec', () => {
  it('gives a command the model, passes its exit code on, and the pod goes by its idle time', async () => {
    const asked = await exec('asks', process.execPath, '--input-type=module', '-e', ASK);
    expect(asked, asked.stderr).toMatchObject({ code: 0 });
    expect(asked.stdout).toMatch(/^the model says: \d+ characters\n$/);
    expect((await client.session('asks').status()).leases).toEqual([]);
    await waitUntil(() => isGone('asks'), { what: 'the pod is gone' });
    expect(await podsOf('asks')).toHaveLength(1);
  });

  it('ends as the command ends: its code, a signal, a command that is not there', async () => {
    expect((await exec('codes', process.execPath, '-e', 'process.exit(7)')).code).toBe(7);
    expect((await exec('codes', process.execPath, '-e', 'process.kill(process.pid, "SIGKILL")')).code).toBe(137);
    expect((await exec('codes', 'no-such-command-anywhere')).code).toBe(127);
    const running = place.start([
      'exec',
      '--session',
      'codes',
      '--',
      process.execPath,
      '-e',
      'console.log("up"); setInterval(() => 0, 1000)',
    ]);
    await running.says('up');
    running.child.kill('SIGTERM');
    expect((await running.ended).code).toBe(143);
  });

  it('fails with 125 for its own reasons', async () => {
    const elsewhere = await place.run(['exec', '--', 'true'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(elsewhere).toMatchObject({ code: 125, stdout: '' });
    expect(elsewhere.stderr).toContain('TEMPORAL_UNREACHABLE');
  });

  it('leaves no pod behind when it is killed: what nobody uses goes by its idle time', async () => {
    const running = place.start([
      'exec',
      '--session',
      'killed',
      '--idle-timeout',
      '20s',
      '--',
      process.execPath,
      '-e',
      'console.log("up"); setTimeout(() => 0, 20000)',
    ]);
    await running.says('up');
    running.child.kill('SIGKILL');
    await running.ended;
    await waitUntil(() => isGone('killed'), { what: 'the pod is gone' });
    expect((await client.session('killed').status()).stopReason).toContain('not used');
  });

  it('keeps a pod that its command uses for longer than the idle time', async () => {
    const used = await exec('used', process.execPath, '--input-type=module', '-e', KEEP_ASKING);
    expect(used, used.stderr).toMatchObject({ code: 0 });
    expect(await podsOf('used')).toHaveLength(1);
  });

  it('keeps a pod whose answer takes longer than the idle time', async () => {
    await client.startSession({ session: 'waits', idleTimeoutSeconds: 20 });
    for await (const { phase } of client.session('waits').watch()) if (phase === 'ready') break;
    const letGo = freezeBelow(place.stack.pids.emulator);
    try {
      const asking = exec('waits', process.execPath, '--input-type=module', '-e', ASK);
      await waitUntil(async () => (await client.session('waits').status()).leases.length === 1, { what: 'its lease' });
      await delay(30_000);
      expect(await isGone('waits')).toBe(false);
      letGo();
      const asked = await asking;
      expect(asked, asked.stderr).toMatchObject({ code: 0 });
    } finally {
      letGo();
    }
    expect(await podsOf('waits')).toHaveLength(1);
  });
});

describe('devloop proxy', () => {
  it('serves the pod to its own address only, adds the token, and gives the lease back', async () => {
    const running = place.start(['proxy', 'proxied', '--idle-timeout', '20s', '--hold']);
    await running.says('Serving until');
    const url = /RUNPOD_URL=(\S+)/.exec(running.stdout)?.[1] ?? '';
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    expect((await fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(200);
    expect(await statusFor(`${url}/v1/models`, 'evil.example')).toBe(403);
    const { leases, idleDeadline } = await client.session('proxied').status();
    expect({ hold: leases.map(({ hold }) => hold), idleDeadline }).toEqual({ hold: [true], idleDeadline: undefined });
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    expect(running.stdout + running.stderr).not.toContain('Bearer');
    await waitUntil(() => isGone('proxied'), { what: 'the pod is gone' });
  });
});
