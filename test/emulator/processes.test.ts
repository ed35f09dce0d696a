import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLedgerFile, startEmulator, type RunningEmulator } from '../support/emulator.js';
import { Account, expectBilledByTheClock, go, isAlive, until, WAIT_FOR_GO } from './real-pods.js';

let emulator: RunningEmulator;
let account: Account;

beforeAll(async () => {
  emulator = await startEmulator({ env: { SECRET_OF_THE_EMULATOR: 'x', LANG: 'C.UTF-8' } });
  account = new Account(emulator);
  await emulator.settings({ quota: null, stopGraceSeconds: 0.3 });
});
afterAll(() => emulator.stop());

/** A pod whose main process, a child of it and a child that left the group all write down their pids. */
const family = `echo pid main $$; sleep 1000 & echo pid child $!; setsid bash -c 'echo pid stray $$; exec sleep 1000' & wait`;

async function pidsOf(id: string): Promise<number[]> {
  const pids = await Promise.all(
    ['main', 'child', 'stray'].map((who) => account.line(id, new RegExp(`^pid ${who} (\\d+)$`))),
  );
  return pids.map(Number);
}

const allGone = (pids: number[]) => until(`the end of ${pids.join(', ')}`, () => !pids.some(isAlive));

describe('a pod’s processes', () => {
  it('get only PATH, LANG, the pod’s variables, RunPod’s and the emulator’s', async () => {
    const id = await account.create({
      args: 'env -0 | tr "\\n\\0" " \\n"; echo done; sleep 1000',
      env: { MINE: 'a b\nc' },
    });
    const lines = await account.linesWith(id, /^done$/);
    const names = lines.map((line) => line.split('=')[0]!);
    const folder = path.join(emulator.dataDir, 'pods', id);
    expect(names.filter((name) => !['done', 'PWD', 'SHLVL', '_'].includes(name)).sort()).toEqual(
      [
        ...['EMULATOR_DIR', 'EMULATOR_PORT_11434', 'HOME', 'LANG', 'MINE', 'PATH', 'RUNPOD_API_KEY', 'RUNPOD_API_URL'],
        ...['RUNPOD_CPU_COUNT', 'RUNPOD_DC_ID', 'RUNPOD_GPU_COUNT', 'RUNPOD_POD_HOSTNAME', 'RUNPOD_POD_ID'],
        ...['RUNPOD_PUBLIC_IP', 'RUNPOD_TCP_PORT_22', 'TMPDIR'],
      ].sort(),
    );
    expect(lines).toEqual(
      expect.arrayContaining([
        'MINE=a b c',
        `EMULATOR_DIR=${folder}`,
        `HOME=${folder}`,
        `TMPDIR=${folder}/tmp`,
        `PWD=${folder}`,
        `RUNPOD_API_URL=${emulator.url}/v2`,
        `PATH=${process.env.PATH!}`,
      ]),
    );
    await account.remove(id);
  });

  it('all end at terminate, the one that left the process group too, and the pod’s disk with them', async () => {
    const id = await account.create({ args: family });
    const pids = await pidsOf(id);
    const folder = path.join(emulator.dataDir, 'pods', id);
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    expect(existsSync(folder)).toBe(true);
    expect(await account.remove(id)).toBe(204);
    expect((await account.fetch(`/pods/${id}`)).status).toBe(404);
    await allGone(pids);
    await until('the end of its disk', () => !existsSync(folder));
    expect(await readFile(path.join(emulator.dataDir, 'logs', id, 'container.log'), 'utf8')).toMatch(/pid main/);
  });

  it('get SIGTERM first, and SIGKILL when they do not heed it', async () => {
    await emulator.settings({ stopGraceSeconds: 5 });
    const id = await account.create({
      args: `trap 'echo heard TERM' TERM; echo pid main $$; while :; do sleep 0.05; done`,
    });
    const pid = Number(await account.line(id, /^pid main (\d+)$/));
    expect(await account.act(id, 'stop')).toBe(200);
    await allGone([pid]);
    await account.line(id, /^heard TERM$/);
    await account.remove(id);
    await emulator.settings({ stopGraceSeconds: 0.3 });
  });

  it('sleep where there is no command', async () => {
    const id = await account.create({ args: undefined });
    await until('RUNNING', async () => (await account.status(id)) === 'RUNNING');
    await account.fetch(`/pods/${id}`);
    await until('all that is said of its start', async () => (await account.lines(id, 'system')).length === 3);
    await account.remove(id);
  });

  it('are started again when the main one ends, what it left behind having ended first', async () => {
    const id = await account.create({ args: `sleep 1000 & echo pid child $!; sleep 0.3; exit 3` });
    const first = Number(await account.line(id, /^pid child (\d+)$/));
    await until('a second container', async () => {
      const pids = (await account.lines(id)).filter((line) => line.startsWith('pid child'));
      return pids.length >= 2;
    });
    expect(isAlive(first)).toBe(false);
    expect(await account.status(id)).toBe('RUNNING');
    await account.linesWith(id, /^container exited \(exit code 3\)/, 'system');
    await account.remove(id);
  });

  it('that cannot be started are a crash loop, not the end of the emulator', async () => {
    const id = await account.create({ args: 'exec /does/not/exist', env: { PATH: '/nowhere' } });
    await account.linesWith(id, /^container exited/, 'system');
    expect(await account.remove(id)).toBe(204);
  });
});

describe('the pod’s disk', () => {
  const listFiles =
    'for f in tmp/x workspace/y own; do [ -e $f ] && echo has $f; touch $f; done; echo ready; sleep 1000';
  const filesAfterRestart = async (id: string): Promise<string[]> => {
    await account.line(id, /^(ready)$/);
    expect(await account.act(id, 'restart')).toBe(200);
    const lines = await until('the second start', async () => {
      const soFar = await account.lines(id);
      return soFar.filter((line) => line === 'ready').length > 1 ? soFar : undefined;
    });
    return lines.filter((line) => line.startsWith('has '));
  };

  it('loses everything at a restart but the mount', async () => {
    const plain = await account.create({ args: listFiles });
    expect(await filesAfterRestart(plain)).toEqual([]);
    const mounted = await account.create({
      args: listFiles,
      mounts: { persistent: { size: 10, path: '/workspace' } },
    });
    expect(await filesAfterRestart(mounted)).toEqual(['has workspace/y']);
    await Promise.all([account.remove(plain), account.remove(mounted)]);
  });

  it('may be a network volume, which the next pod finds again, whatever its name', async () => {
    const mounts = { network: [{ volumeId: '../..', path: '/workspace' }] };
    const first = await account.create({ args: listFiles, mounts });
    await account.line(first, /^(ready)$/);
    await account.remove(first);
    const second = await account.create({ args: `echo volume $RUNPOD_VOLUME_ID; ${listFiles}`, mounts });
    expect(await account.linesWith(second, /^ready$/)).toEqual(['volume ../..', 'has workspace/y', 'ready']);
    expect(existsSync(path.join(emulator.dataDir, 'volumes', '%2E%2E%2F%2E%2E', 'y'))).toBe(true);
    await account.remove(second);
  });
});

describe('the pod’s own key', () => {
  it('ends the pod from inside, with curl as on RunPod', async () => {
    const id = await account.create({
      args: `curl -s -o /dev/null -w 'other %{http_code}\\n' -X DELETE -H "Authorization: Bearer $RUNPOD_API_KEY" $RUNPOD_API_URL/pods/other
        ${WAIT_FOR_GO}; curl -s -X POST -H "Authorization: Bearer $RUNPOD_API_KEY" \
        -d '{"action":"terminate"}' $RUNPOD_API_URL/pods/$RUNPOD_POD_ID/action; sleep 1000`,
    });
    await account.line(id, /^(other 403)$/);
    go(emulator, id);
    await until('the pod’s end', async () => (await account.fetch(`/pods/${id}`)).status === 404);
    expect((await emulator.requests()).filter((request) => request.key === 'pod')).toMatchObject([
      { method: 'DELETE', status: 403 },
      { method: 'POST', path: `/v2/pods/${id}/action`, status: 204, podId: id },
    ]);
  });
});

describe('logs', () => {
  it('are server-sent events that go on as the container writes and end with the pod', async () => {
    const id = await account.create({
      args: `echo one; echo two >&2; ${WAIT_FOR_GO}; printf 'thr'; printf 'ee\\n'; sleep 1000`,
    });
    await account.line(id, /^(two)$/);
    const response = await account.fetch(`/pods/${id}/logs?source=container&tail=1`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(response.headers.get('ratelimit')).toBeNull();
    const text = response.text();
    go(emulator, id);
    await account.line(id, /^(three)$/);
    await account.remove(id);
    const events = (await text).trim().split('\n\n');
    expect(events).toHaveLength(2);
    expect(events[0]).toMatch(/^id: \d{4}-.*Z\/\d{12}\ndata: \{"ts":".*Z","source":"container","line":"two"\}$/);
    expect(events[1]).toMatch(/"line":"three"/);
  });

  it('resume after Last-Event-ID', async () => {
    const id = await account.create({ args: 'printf "%s\\n" a b c; sleep 1000' });
    await account.line(id, /^(c)$/);
    const leave = new AbortController();
    const read = async (headers: Record<string, string>): Promise<string> => {
      const response = await fetch(`${emulator.url}/v2/pods/${id}/logs?source=container`, {
        headers: { authorization: 'Bearer emulator', ...headers },
        signal: leave.signal,
      });
      const part = await response.body!.getReader().read();
      return Buffer.from(part.value).toString();
    };
    const all = await read({});
    const second = /id: (\S+)\ndata: .*"line":"b"/.exec(all)![1]!;
    const rest = await read({ 'last-event-id': second });
    leave.abort();
    expect(rest).toMatch(/"line":"c"/);
    expect(rest).not.toMatch(/"line":"[ab]"/);
    await account.remove(id);
  });
});

describe('the end of the emulator', () => {
  it('leaves no process, keeps the pods in the ledger as they are, and a next one starts them again', async () => {
    const first = await startEmulator();
    const firstAccount = new Account(first);
    const id = await firstAccount.create({ args: family });
    const pids = await Promise.all(
      ['main', 'child', 'stray'].map(async (who) =>
        Number(await firstAccount.line(id, new RegExp(`^pid ${who} (\\d+)$`))),
      ),
    );
    const log = firstAccount.fetch(`/pods/${id}/logs`);
    await log;
    const child = { ...first };
    const dataDir = first.dataDir;
    process.kill(child.pid, 'SIGTERM');
    await allGone([...pids, child.pid]);
    expect(await readLedgerFile(first.ledgerFile)).toMatchObject([{ id, status: 'RUNNING', terminatedAt: null }]);
    const second = await startEmulator({ dataDir });
    const secondAccount = new Account(second);
    await until('a second start', async () => {
      const lines = await secondAccount.lines(id);
      return lines.filter((line) => line.startsWith('pid main')).length === 2;
    });
    await expectBilledByTheClock(second);
    await second.stop();
    await first.stop();
  });
});
