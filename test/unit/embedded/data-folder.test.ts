import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { livingClients, registerClient } from '../../../src/embedded/clients.js';
import { dataPaths, prepareDataDir } from '../../../src/embedded/data-dir.js';
import { ensureGateSecret, readGateSecret } from '../../../src/embedded/secrets.js';
import { ownIdentity } from '../../../src/embedded/processes.js';
import { readStack } from '../../../src/embedded/stack-file.js';
import { lockHolder, takeStackLock } from '../../../src/embedded/stack-lock.js';

let root: string;
let dataDir: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'devloop-data-'));
  dataDir = join(root, 'data');
  prepareDataDir(dataDir);
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** An identity that no process has any more. */
function deadIdentity() {
  const { pid } = spawnSync('true');
  return { pid, start: 'long ago' };
}

describe('data folder', () => {
  it('names the path, the cause and the way out when a file is in its place', () => {
    writeFileSync(join(root, 'file'), '');
    expect(() => {
      prepareDataDir(join(root, 'file', 'data'));
    }).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/file\/data: a file is in the place of a folder\. .*DEVLOOP_DATA_DIR/) as string,
      }),
    );
  });

  it('leaves no trace of its attempt to write', () => {
    expect(readdirSync(dataDir).sort()).toEqual(['clients', 'emulator', 'logs']);
  });
});

describe('gate secret', () => {
  it('is made once, long, and readable by its owner alone', () => {
    expect(readGateSecret(dataDir)).toBeUndefined();
    const secret = ensureGateSecret(dataDir);
    expect(secret.length).toBeGreaterThanOrEqual(43);
    expect(ensureGateSecret(dataDir)).toBe(secret);
    expect(readGateSecret(dataDir)).toBe(secret);
    expect(statSync(dataPaths(dataDir).gateSecretFile).mode & 0o777).toBe(0o600);
  });

  it('is closed again when its file became readable for others', () => {
    ensureGateSecret(dataDir);
    chmodSync(dataPaths(dataDir).gateSecretFile, 0o644);
    ensureGateSecret(dataDir);
    expect(statSync(dataPaths(dataDir).gateSecretFile).mode & 0o777).toBe(0o600);
  });

  it('is refused, not replaced, when the file holds something else', () => {
    writeFileSync(dataPaths(dataDir).gateSecretFile, 'short\n');
    expect(() => ensureGateSecret(dataDir)).toThrow(/gate-secret holds no secret/);
    expect(readFileSync(dataPaths(dataDir).gateSecretFile, 'utf8')).toBe('short\n');
  });
});

describe('clients', () => {
  it('live until they are released', () => {
    const first = registerClient(dataDir);
    const second = registerClient(dataDir);
    expect(livingClients(dataDir)).toEqual([ownIdentity(), ownIdentity()]);
    first.release();
    first.release();
    expect(livingClients(dataDir)).toHaveLength(1);
    second.release();
    expect(livingClients(dataDir)).toEqual([]);
  });

  it('are forgotten when their process is gone, also when its id was used again', () => {
    const { clientsDir } = dataPaths(dataDir);
    writeFileSync(join(clientsDir, '1.0'), JSON.stringify(deadIdentity()));
    writeFileSync(join(clientsDir, '2.0'), JSON.stringify({ ...ownIdentity(), start: 'long ago' }));
    writeFileSync(join(clientsDir, '3.0'), 'not JSON');
    expect(livingClients(dataDir)).toEqual([]);
    expect(readdirSync(clientsDir)).toEqual([]);
  });
});

describe('stack lock', () => {
  it('is held by one until it is released', () => {
    const lock = takeStackLock(dataDir);
    expect(lock?.isHeld()).toBe(true);
    expect(lockHolder(dataDir)).toEqual(ownIdentity());
    expect(takeStackLock(dataDir)).toBeUndefined();
    lock?.release();
    expect(lockHolder(dataDir)).toBeUndefined();
    expect(readdirSync(dataDir).filter((name) => name.startsWith('stack.lock'))).toEqual([]);
  });

  it.each([
    ['of a dead process', () => JSON.stringify(deadIdentity())],
    ['of a process id that was used again', () => JSON.stringify({ ...ownIdentity(), start: 'long ago' })],
    ['that is damaged', () => '{'],
  ])('is taken over when it is one %s', (_, content) => {
    writeFileSync(dataPaths(dataDir).lockFile, content());
    const lock = takeStackLock(dataDir);
    expect(lock?.isHeld()).toBe(true);
    lock?.release();
    expect(existsSync(dataPaths(dataDir).lockFile)).toBe(false);
  });

  it('knows when somebody else has taken it', () => {
    const lock = takeStackLock(dataDir);
    writeFileSync(dataPaths(dataDir).lockFile, JSON.stringify(deadIdentity()));
    expect(lock?.isHeld()).toBe(false);
    lock?.release();
    expect(existsSync(dataPaths(dataDir).lockFile)).toBe(true);
  });
});

describe('stack.json', () => {
  const stack = () => ({
    version: 1,
    startedAt: '2030-01-01T00:00:00.000Z',
    temporalAddress: '127.0.0.1:1',
    namespace: 'default',
    webUiUrl: 'http://127.0.0.1:2',
    runpod: 'emulator',
    emulatorUrl: 'http://127.0.0.1:3',
    api: 'openai',
    model: 'smollm2-135m-instruct',
    ledgerFile: '/ledger.json',
    logsDir: '/logs',
    pids: { supervisor: process.pid, temporal: 1, emulator: 2, worker: 3 },
    supervisorStart: ownIdentity().start,
    died: [],
  });
  const write = (content: object): void => {
    writeFileSync(dataPaths(dataDir).stackFile, JSON.stringify(content));
  };

  it('is believed while its supervisor lives', () => {
    expect(readStack(dataDir)).toBeUndefined();
    write(stack());
    expect(readStack(dataDir)).toMatchObject({ temporalAddress: '127.0.0.1:1', died: [] });
  });

  it.each([
    ['when its supervisor is another process by now', { supervisorStart: 'long ago' }],
    ['when it has begun to end', { ending: true }],
    ['when another version wrote it', { version: 2 }],
  ])('is not believed %s', (_, change) => {
    write({ ...stack(), ...change });
    expect(readStack(dataDir)).toBeUndefined();
  });
});
