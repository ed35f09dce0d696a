import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compiledRoot } from '../../../src/embedded/layout.js';

async function chaos(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const program = spawn(process.execPath, [join(compiledRoot(), 'test', 'chaos', 'main.js'), ...args]);
  const [stdout, stderr, [code]] = await Promise.all([
    text(program.stdout),
    text(program.stderr),
    once(program, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

describe('npm run chaos', () => {
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
