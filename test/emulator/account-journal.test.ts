import { appendFile, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccountJournal, type JournalState } from '../../emulator/account-journal.js';
import { ConfigError } from '../../emulator/config-error.js';
import { CoreWorld } from './core-world.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'devloop-journal-'));
  file = path.join(folder, 'account.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

const container = { generation: 1, pid: 4711, startedAt: '12', ports: { '8000': 12_345 } };

/** An account with a pod in it, and a journal of it that has been written once. */
function begun(): { world: CoreWorld; state: () => JournalState; journal: AccountJournal; podId: string } {
  const world = new CoreWorld();
  const { id } = world.create({ env: { BIG: 'x'.repeat(20_000) } });
  const state = () => ({ account: structuredClone(world.core.account()), containers: {} });
  const journal = new AccountJournal(file, state);
  journal.append([]);
  return { world, state, journal, podId: id };
}

const change = (world: CoreWorld, podId: string, name: string) => {
  world.call('PATCH', `/v2/pods/${podId}`, { name });
  return { pod: world.core.pod(podId)! };
};

describe('the account’s journal', () => {
  it('gives back what was written, the later of two lines about one thing', () => {
    const { world, state, journal, podId } = begun();
    journal.append([change(world, podId, 'one'), { container: { podId, running: container } }]);
    journal.append([change(world, podId, 'two')]);
    expect(AccountJournal.read(file)).toEqual({ ...state(), containers: { [podId]: container } });
    journal.append([{ container: { podId, running: null } }]);
    expect(AccountJournal.read(file)).toEqual(state());
    expect(AccountJournal.read(path.join(folder, 'none'))).toBeUndefined();
  });

  it('takes a last line that was being written for none', async () => {
    const { state } = begun();
    await appendFile(file, '{"pod":{"id":"abc","na');
    expect(AccountJournal.read(file)).toEqual(state());
  });

  it('names a line that is damaged', async () => {
    begun();
    await appendFile(file, '{"pod":{"id":"abc"}}\n');
    expect(() => AccountJournal.read(file)).toThrow(ConfigError);
    expect(() => AccountJournal.read(file)).toThrow(/line 3/);
  });

  it('is written whole after a write that failed', async () => {
    const { world, state, journal, podId } = begun();
    await rm(file);
    await mkdir(file);
    expect(() => {
      journal.append([change(world, podId, 'lost at first')]);
    }).toThrow(/EISDIR/);
    await rm(file, { recursive: true });
    journal.append([]);
    expect(AccountJournal.read(file)).toEqual(state());
    expect(AccountJournal.read(file)?.account.pods[0]?.name).toBe('lost at first');
  });

  it('does not grow without end', async () => {
    const { world, state, journal, podId } = begun();
    for (let round = 0; round < 1000; round += 1) journal.append([change(world, podId, `name ${round}`)]);
    expect((await stat(file)).size).toBeLessThan(10 * 1024 * 1024);
    expect(AccountJournal.read(file)).toEqual(state());
    expect((await readFile(file, 'utf8')).startsWith('{"version":1}\n')).toBe(true);
  });
});
