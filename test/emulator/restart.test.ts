import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startEmulator, type RunningEmulator } from '../support/emulator.js';
import { Account, expectBilledByTheClock, isAlive, until } from './real-pods.js';

const started: RunningEmulator[] = [];
/** Ends all of a test's emulators, the one with the temporary data directory last: it removes it. */
afterEach(async () => {
  for (const emulator of started.splice(0).reverse()) await emulator.stop();
});

async function start(options: Parameters<typeof startEmulator>[0] = {}): Promise<[RunningEmulator, Account]> {
  const emulator = await startEmulator(options);
  started.push(emulator);
  await emulator.settings({ quota: null, stopGraceSeconds: 0.3 });
  return [emulator, new Account(emulator)];
}

const server = `require('http').createServer((q, r) => r.end('pid ' + process.pid)).listen(PORT, '127.0.0.1', () => console.log('pid ' + process.pid));`;

describe('an emulator that was killed', () => {
  it('is followed by one that goes on with the same processes, ports, bill and ids', async () => {
    const [first, before] = await start();
    const id = await before.node(server);
    expect(await (await before.served(id)).text()).toMatch(/^pid \d+$/);
    const pid = Number(await before.line(id, /^pid (\d+)$/));
    const [entry] = await first.ledger();
    await first.kill9();
    expect(isAlive(pid)).toBe(true);

    const [second, after] = await start({ dataDir: first.dataDir });
    expect(await (await after.proxy(id)).text()).toBe(`pid ${pid}`);
    expect(await after.json(`/pods/${id}`)).toMatchObject({ status: 'RUNNING', createdAt: entry!.createdAt });
    expect(await after.linesWith(id, /^pid/)).toEqual([`pid ${pid}`]);
    await expectBilledByTheClock(second);

    expect(await after.remove(id)).toBe(204);
    await until('the end of the adopted process', () => !isAlive(pid));
    expect(await second.ledger()).toMatchObject([{ id, status: 'TERMINATED' }]);
  });

  it('starts again what died meanwhile, and what an adopted pod loses', async () => {
    const [first, before] = await start();
    const id = await before.node(server);
    const pid = Number(await before.line(id, /^pid (\d+)$/));
    await first.kill9();
    process.kill(pid, 'SIGKILL');
    const [second, after] = await start({ dataDir: first.dataDir });
    const next = await until('a new process', async () => {
      const reply = await after.proxy(id);
      return reply.status === 200 ? Number((await reply.text()).slice(4)) : undefined;
    });
    expect(next).not.toBe(pid);
    await second.kill9();
    const [, last] = await start({ dataDir: first.dataDir });
    process.kill(next, 'SIGKILL');
    await until('a third process', async () => {
      const reply = await last.proxy(id);
      return reply.status === 200 && Number((await reply.text()).slice(4)) !== next;
    });
    await last.remove(id);
  });

  it('ends what it was ending, although the ledger already knows the pod as terminated', async () => {
    const [first, before] = await start();
    await first.settings({ stopGraceSeconds: 20 });
    const id = await before.create({ args: `trap '' TERM; echo pid $$; while :; do sleep 0.05; done` });
    const pid = Number(await before.line(id, /^pid (\d+)$/));
    await before.remove(id);
    await first.kill9();
    expect(isAlive(pid)).toBe(true);
    await start({ dataDir: first.dataDir });
    await until('the end of the forgotten process', () => !isAlive(pid));
  });

  it('ends processes that no ledger knows of', async () => {
    const [first, before] = await start();
    const id = await before.create({ args: 'echo pid $$; exec sleep 1000' });
    const pid = Number(await before.line(id, /^pid (\d+)$/));
    await first.kill9();
    const journal = path.join(first.dataDir, 'account.jsonl');
    const lines = (await readFile(journal, 'utf8')).split('\n').filter((line) => !line.startsWith('{"container"'));
    await writeFile(journal, lines.join('\n'));
    const [, after] = await start({ dataDir: first.dataDir });
    await until('the end of the unknown process', () => !isAlive(pid));
    await until('a new one', async () => (await after.lines(id)).filter((line) => line.startsWith('pid')).length === 2);
    await after.remove(id);
  });

  it.each([0, 5, 20, 60, 150, 400])('%i ms after a create was answered has forgotten no pod', async (delayMs) => {
    const [first, before] = await start();
    await first.settings({ provisioningSeconds: 0.02, startingSeconds: 0.02 });
    const id = await before.create({ args: 'echo pid $$; exec sleep 1000' });
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await first.kill9();
    const [second, after] = await start({ dataDir: first.dataDir });
    expect(await second.ledger()).toMatchObject([{ id, terminatedAt: null }]);
    await until('RUNNING', async () => (await after.status(id)) === 'RUNNING');
    const pids = await until('its process', async () => {
      const lines = (await after.lines(id)).filter((line) => line.startsWith('pid '));
      const running = lines.map((line) => Number(line.slice(4))).filter(isAlive);
      return running.length > 0 ? running : undefined;
    });
    expect(pids).toHaveLength(1);
    await after.remove(id);
    await until('its end', () => !isAlive(pids[0]!));
  });
});
