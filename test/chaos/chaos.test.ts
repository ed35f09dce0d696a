import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compiledRoot } from '../../src/embedded/layout.js';
import { CONFIG } from './bounds.js';
import type { ChaosReport } from './report.js';

const SEED = process.env.DEVLOOP_CHAOS_SEED ?? String(Date.now() % 1_000_000);
const FAILURES = ['all-dead', 'worker-killed', 'temporal-killed', 'runpod-gone'] as const;
/** A use is noted, and the ledger written, to within this. */
const PRECISION_SECONDS = 3;

async function chaos(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const program = spawn(process.execPath, [join(compiledRoot(), 'test', 'chaos', 'main.js'), ...args]);
  const [stdout, stderr, [code]] = await Promise.all([
    text(program.stdout),
    text(program.stderr),
    once(program, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

// The whole matrix takes half an hour: `npm run chaos`. Here each of the great failures strikes once, in every phase.
describe('npm run chaos', () => {
  it('lets processes die in every phase of a session, and every pod ends within its bound', async () => {
    const wanted = FAILURES.flatMap((name) => ['--failure', name]);
    const runs = String(FAILURES.length);
    const { code, stdout, stderr } = await chaos('--runs', runs, '--seed', SEED, '--lanes', '2', '--json', ...wanted);
    process.stdout.write(stderr);
    const { failed, cells, seed } = JSON.parse(stdout) as ChaosReport;
    expect(failed).toEqual([]);
    expect(code).toBe(0);
    expect(seed).toBe(Number(SEED));
    for (const failure of FAILURES) {
      const struck = cells.filter((cell) => cell.failure === failure && cell.n > 0);
      expect(
        struck.map(({ phase }) => phase),
        failure,
      ).toEqual(expect.arrayContaining(['serve', 'idle']));
    }
    // Nothing of ours was left: only the switch can have ended that pod, and it waits for its whole grace.
    const orphan = cells.find(({ failure, phase }) => failure === 'all-dead' && phase === 'idle');
    expect(orphan?.max).toBeGreaterThan(CONFIG.graceSeconds - PRECISION_SECONDS);
  });

  it.each([
    [['--runs', '0'], /--runs/],
    [['--failure', 'earthquake'], /worker-killed/],
    [['--seeds', '3'], /--seeds/],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await chaos(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });

  it('explains itself', async () => {
    const { code, stdout } = await chaos('--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples:\n {2}npm run chaos/);
  });
});
