import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = resolve(import.meta.dirname, '../../pod/dead-man.sh');
/** As `man sysexits` calls it: EX_CONFIG. */
const MISCONFIGURED = 78;

/** One that arms itself runs for ever. */
const ARMED_AFTER_MS = 20_000;

const complete: Record<string, string> = {
  PATH: process.env.PATH ?? '',
  RUNPOD_API_URL: 'http://127.0.0.1:9/v2',
  RUNPOD_POD_ID: 'abc',
  RUNPOD_API_KEY: 'the-key-of-the-pod',
  DEVLOOP_READY_BY: '1800000000',
  DEVLOOP_IDLE_SECONDS: '480',
  DEVLOOP_GRACE_SECONDS: '120',
  DEVLOOP_HARD_DEADLINE: '1800000000',
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'devloop-unarmed-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** What is written for `GET /devloop/status`, and how the script ends. Undefined takes a variable away. */
function statusWith(change: Record<string, string | undefined>) {
  const env: NodeJS.ProcessEnv = { ...complete, EMULATOR_DIR: folder, ...change };
  const state = join(folder, 'workspace/.devloop', env.RUNPOD_POD_ID ?? 'pod');
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, 'about'), '{"podId":"abc"');
  const { status, stdout } = spawnSync('bash', [script], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: ARMED_AFTER_MS,
  });
  const written = JSON.parse(readFileSync(join(state, 'status.json'), 'utf8')) as { deadman: object };
  return { status, stdout, deadman: written.deadman };
}

const numbers = ['DEVLOOP_READY_BY', 'DEVLOOP_IDLE_SECONDS', 'DEVLOOP_GRACE_SECONDS', 'DEVLOOP_HARD_DEADLINE'];
const wrong: readonly [string, string | undefined][] = [
  ...numbers.flatMap((name) =>
    [undefined, '', 'soon', '-1', '1.5', '08'].map((value): [string, string | undefined] => [name, value]),
  ),
  ['RUNPOD_POD_ID', undefined],
  ['RUNPOD_POD_ID', 'a b'],
  ['RUNPOD_API_KEY', undefined],
  ['RUNPOD_API_KEY', ''],
];

describe('a switch that could not end its pod', () => {
  it.each(wrong)('says that it is not armed, and why: %s is %j', (name, value) => {
    const { status, stdout, deadman } = statusWith({ [name]: value });
    expect(status).toBe(MISCONFIGURED);
    expect(deadman).toMatchObject({ state: 'unarmed', problem: expect.stringContaining(name) as string });
    expect(stdout).toContain('NOT ARMED');
  });
});
