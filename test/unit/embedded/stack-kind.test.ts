import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareDataDir } from '../../../src/embedded/data-dir.js';
import { requireSameRunPod } from '../../../src/embedded/stack-kind.js';
import type { DiedChild, StackInfo } from '../../../src/embedded/stack-types.js';
import { isUsed } from '../../../src/embedded/stack-use.js';

const base = {
  version: 1,
  startedAt: '2030-01-01T00:00:00.000Z',
  temporalAddress: '127.0.0.1:1',
  namespace: 'default',
  webUiUrl: 'http://127.0.0.1:1',
  api: 'ollama',
  model: 'm',
  logsDir: '/logs',
  supervisorStart: '1',
  died: [],
} as const;
const emulator: StackInfo = {
  ...base,
  runpod: 'emulator',
  emulatorUrl: 'http://127.0.0.1:1',
  ledgerFile: '/ledger.json',
  pids: { supervisor: 1, temporal: 2, worker: 3, emulator: 4 },
};
const real: StackInfo = {
  ...base,
  runpod: 'account',
  apiUrl: 'https://api.runpod.io/v2',
  pids: { supervisor: 1, temporal: 2, worker: 3 },
};

describe('joining a stack', () => {
  it('is for those who want the same RunPod', () => {
    requireSameRunPod(emulator, undefined);
    requireSameRunPod(real, { apiUrl: 'https://api.runpod.io/v2' });
  });

  it.each([
    [
      emulator,
      'https://api.runpod.io/v2',
      /the RunPod emulator.*a real account at https:\/\/api\.runpod\.io.*with --emulator;/,
    ],
    [real, undefined, /a real account at https:\/\/api.*the RunPod emulator.*RUNPOD_API_KEY and RUNPOD_API_URL=https:/],
    [real, 'https://other.test/v2', /https:\/\/api\.runpod\.io\/v2.*https:\/\/other\.test\/v2/],
  ])('is refused to others, with both choices and the way out (%#)', (stack, apiUrl, message) => {
    const account = apiUrl === undefined ? undefined : { apiUrl };
    expect(() => requireSameRunPod(stack, account)).toThrow(message);
    expect(() => requireSameRunPod(stack, account)).toThrow(/DEVLOOP_DATA_DIR/);
  });
});

describe('a stack whose Temporal does not answer', () => {
  let dataDir: string;
  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'devloop-use-'));
    prepareDataDir(dataDir);
  });
  afterAll(() => {
    rmSync(dataDir, { recursive: true });
  });
  const died = (name: DiedChild['name']): DiedChild[] => [{ name, at: base.startedAt, code: 1, signal: null }];
  const used = (stack: StackInfo) => isUsed({ dataDir, connection: undefined, stack });

  it('is used while pods of a real account may live: nobody can say that they do not', async () => {
    expect(await used(real)).toBe(true);
  });

  it.each(['temporal', 'worker'] as const)(
    'is not used once its %s has ended: the next one takes over',
    async (name) => {
      expect(await used({ ...real, died: died(name) })).toBe(false);
    },
  );

  it('is not used when its emulator does not answer either', async () => {
    expect(await used(emulator)).toBe(false);
  });
});
