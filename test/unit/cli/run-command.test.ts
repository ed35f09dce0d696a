import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../../src/cli/proxy/run-command.js';
import { waitUntil } from '../../support/processes.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'devloop-run-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const run = (script: string, terminal = false): Promise<number> =>
  runCommand({ words: [process.execPath, '-e', script], env: { FOLDER: folder }, terminal });

const SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs a command that ends by SIGUSR2 with, as bits, which of `SIGNALS` it got; sends this process all of them. */
async function signalsPassed(terminal: boolean): Promise<string[]> {
  const script = `
    let got = 0;
    ${JSON.stringify(SIGNALS)}.forEach((name, bit) => process.on(name, () => { got |= 1 << bit; }));
    process.on('SIGUSR2', () => process.exit(got));
    require('node:fs').writeFileSync(process.env.FOLDER + '/pid', String(process.pid));
    setInterval(() => { require('node:fs').writeFileSync(process.env.FOLDER + '/got-' + got, ''); }, 20);`;
  const running = run(script, terminal);
  await waitUntil(() => existsSync(join(folder, 'got-0')), { what: 'the command runs' });
  for (const name of SIGNALS) process.emit(name, name);
  const all = terminal ? 0b1100 : 0b1111;
  await waitUntil(() => existsSync(join(folder, `got-${all}`)), { what: 'the signals arrived' });
  process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGUSR2');
  const got = await running;
  return SIGNALS.filter((_name, bit) => got & (1 << bit));
}

describe('runCommand', () => {
  it.each([
    ['its own', 'process.exit(7)', 7],
    ['128 and the signal that ended it', 'process.kill(process.pid, "SIGKILL")', 137],
  ])('ends with %s code', async (_what, script, code) => {
    expect(await run(script)).toBe(code);
  });

  it('ends with 127 for a command that is not there, 126 for one that cannot be run', async () => {
    const env = {};
    expect(await runCommand({ words: ['no-such-command-anywhere'], env, terminal: false })).toBe(127);
    expect(await runCommand({ words: [folder], env, terminal: false })).toBe(126);
  });

  it('passes every signal on and outlives it', async () => {
    expect(await signalsPassed(false)).toEqual([...SIGNALS]);
  });

  it('leaves those of the keyboard to the terminal, which sends them by itself', async () => {
    expect(await signalsPassed(true)).toEqual(['SIGTERM', 'SIGHUP']);
  });

  it('leaves no handler behind', async () => {
    const before = SIGNALS.map((name) => process.listenerCount(name));
    await run('');
    expect(SIGNALS.map((name) => process.listenerCount(name))).toEqual(before);
  });
});
