import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { podName } from '../../src/contract/index.js';
import { CliPlace, documentOf } from '../support/cli-place.js';
import { startEmulator, type RunningEmulator } from '../support/emulator.js';

const API_KEY = 'rpa_the_account';

interface ReapDocument {
  readonly found: readonly { readonly id: string; readonly verdict: string }[];
  readonly ended: readonly string[];
  readonly left: readonly string[];
}

let emulator: RunningEmulator;
let place: CliPlace;
let pings: number;
let monitor: Server;

beforeAll(async () => {
  emulator = await startEmulator({ apiKey: API_KEY });
  await emulator.settings({ provisioningSeconds: 0, startingSeconds: 0 });
  place = new CliPlace();
  monitor = createServer((_request, response) => {
    pings += 1;
    response.end();
  });
  await new Promise<void>((resolve) => monitor.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  monitor.close();
  await place.end();
  await emulator.stop();
});

beforeEach(() => {
  pings = 0;
});

afterEach(async () => {
  await emulator.clearFaults();
  for (const id of await alive()) await fetch(`${emulator.url}/v2/pods/${id}`, { method: 'DELETE', headers: key });
});

const key = { authorization: `Bearer ${API_KEY}` };
const pingUrl = (): string => `http://127.0.0.1:${(monitor.address() as AddressInfo).port}/`;

function reap(...args: string[]) {
  return place.run(['reap', ...args], {
    RUNPOD_API_KEY: API_KEY,
    RUNPOD_API_URL: `${emulator.url}/v2`,
    RUNPOD_PROXY_URL: `${emulator.url}/proxy/{podId}/{port}`,
    DEVLOOP_OWNER: 'ci',
  });
}

/** @param late seconds since its hard deadline; negative: until then */
async function rent(owner: string, session: string, late: number, env: Record<string, string> = {}): Promise<string> {
  const hardDeadlineSeconds = Math.floor(Date.now() / 1000) - late;
  const name = podName({ owner, session, firstRunId: 'run', attempt: 1, hardDeadlineSeconds });
  return rentNamed(name, env);
}

async function rentNamed(name: string, env: Record<string, string> = {}): Promise<string> {
  const gpu = { id: 'NVIDIA GeForce RTX 4090', count: 1 };
  const body = JSON.stringify({ name, image: 'i', gpu, cloud: 'SECURE', disk: 5, ports: ['11434/http'], env });
  const answer = await fetch(`${emulator.url}/v2/pods`, { method: 'POST', headers: key, body });
  expect(answer.status).toBeLessThan(300);
  return ((await answer.json()) as { id: string }).id;
}

async function alive(): Promise<string[]> {
  return (await emulator.ledger()).filter(({ terminatedAt }) => terminatedAt === null).map(({ id }) => id);
}

describe('devloop reap, with nothing of ours running', () => {
  it("ends its owner's pods past their deadline, in whatever namespace, and no others", async () => {
    const late = await rent('ci-0123abcd', 'a', 500);
    const lateElsewhere = await rent('ci-ffffffff', 'b', 500);
    const kept = [
      await rent('ci-0123abcd', 'c', -3600),
      await rent('ci-two-0123abcd', 'd', 500),
      await rent('other-0123abcd', 'e', 500),
      await rentNamed('my notebook'),
    ];
    const dry = await reap('--dry-run', '--json');
    expect(dry.code).toBe(4);
    expect(documentOf<ReapDocument>(dry).found.map(({ id }) => id)).toEqual([late, lateElsewhere]);
    expect(await alive()).toHaveLength(6);
    const done = await reap('--json', '--ping-url', pingUrl());
    expect(done.code).toBe(4);
    expect(documentOf<ReapDocument>(done)).toMatchObject({ ended: [late, lateElsewhere], left: [] });
    expect((await alive()).toSorted()).toEqual(kept.toSorted());
    expect(pings).toBe(1);
    const again = await reap('--ping-url', pingUrl());
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('0 to end');
    expect(pings).toBe(2);
  });

  it("ends other owners' pods past their deadline only when it is told to", async () => {
    const late = await rent('other-0123abcd', 'a', 500);
    const kept = await rent('other-0123abcd', 'b', -3600);
    const told = await reap('--any-owner', '--json');
    expect(documentOf<ReapDocument>(told).ended).toEqual([late]);
    expect(await alive()).toEqual([kept]);
  });

  it('ends a pod that was to be ready long ago and is not', async () => {
    await emulator.fault({ kind: 'boot-stuck' });
    const env = { DEVLOOP_READY_BY: String(Math.floor(Date.now() / 1000) - 500) };
    const stuck = await rent('ci-0123abcd', 'a', -3600, env);
    const { found } = documentOf<ReapDocument>(await reap('--json'));
    expect(found).toMatchObject([{ id: stuck, verdict: 'never-ready' }]);
    expect(await alive()).toEqual([]);
  });

  it("ends every pod of one session at once, and nobody else's of that name", async () => {
    await rent('ci-0123abcd', 'ci-7', -3600);
    await rent('ci-ffffffff', 'ci-7', -3600);
    const kept = [await rent('ci-0123abcd', 'ci-71', -3600), await rent('other-0123abcd', 'ci-7', -3600)];
    const ended = await reap('--session', 'ci-7', '--json');
    expect(ended.code).toBe(0);
    expect(documentOf<ReapDocument>(ended).ended).toHaveLength(2);
    expect((await alive()).toSorted()).toEqual(kept.toSorted());
    const named = await reap('--session', 'ci-7', '--owner', 'other', '--json');
    expect(documentOf<ReapDocument>(named).ended).toEqual([kept[1]]);
  });

  it('believes no 204: it asks again until the list shows the pod gone', async () => {
    const late = await rent('ci-0123abcd', 'a', 500);
    await emulator.fault({ kind: 'delete-no-effect', times: 1 });
    expect(documentOf<ReapDocument>(await reap('--json')).ended).toEqual([late]);
    expect(await alive()).toEqual([]);
  });

  it('concludes nothing from a list that it cannot read, and the monitor hears nothing', async () => {
    await rent('ci-0123abcd', 'a', 500);
    await emulator.fault({ kind: 'server-error', match: { operation: 'list' } });
    const { code, stderr } = await reap('--ping-url', pingUrl());
    expect(code).toBe(3);
    expect(stderr).toContain('RUNPOD_UNREACHABLE');
    expect(pings).toBe(0);
    expect(await alive()).toHaveLength(1);
  });

  it('needs a key, and never takes an emulator for the account', async () => {
    const { code, stderr } = await place.run(['reap']);
    expect(code).toBe(2);
    expect(stderr).toContain('RUNPOD_API_KEY');
  });

  it('shows all of it in devloop pods, without a secret', async () => {
    await rent('ci-0123abcd', 'a', 500, { DEVLOOP_GATE_TOKEN: 'a-token-of-a-gate' });
    await rentNamed('my notebook');
    const env = { RUNPOD_API_KEY: API_KEY, RUNPOD_API_URL: `${emulator.url}/v2`, DEVLOOP_OWNER: 'ci' };
    const seen = await place.run(['pods', '--json'], env);
    expect(documentOf(seen)).toMatchObject({ strangers: 1, pods: [{ session: 'a', verdict: 'overdue', mine: true }] });
    const table = await place.run(['pods'], env);
    expect(table.stdout).toContain('overdue');
    expect(seen.stdout + table.stdout).not.toContain('a-token-of-a-gate');
  });
});
