import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Report } from './report.js';

/** Always the same stories: what fails here is what was changed. `npm run simulate` tells others. */
const SEEDS = 500;

/** The stand-in for Temporal needs a process of its own: its workflows share one scope with everything else. */
function simulate(...args: readonly string[]): Promise<{ readonly code: number; readonly report: Report }> {
  const built = (path: string): string => fileURLToPath(new URL(`../../dist/test/simulation/${path}`, import.meta.url));
  const command = ['--import', built('temporal/register.js'), built('main.js'), '--json', '--quiet', ...args];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, command, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error ? Number(error.code) : 0;
      if (stdout === '') reject(new Error(`simulate ended with ${code}: ${stderr}`));
      else resolve({ code, report: JSON.parse(stdout) as Report });
    });
  });
}

describe('lives of sessions under faults', () => {
  it(
    `${SEEDS} stories: no pod outlives its bound, no job is lost, no stranger is touched`,
    { timeout: 300_000 },
    async () => {
      const { code, report } = await simulate('--seeds', String(SEEDS));
      expect(report.failed).toEqual([]);
      expect(code).toBe(0);
      expect(report.seeds).toBe(SEEDS);
      expect(report.faultsPerSeed).toBeGreaterThanOrEqual(3);
      expect(Object.entries(report.scenes).filter(([, count]) => count === 0)).toEqual([]);
      // A cell that never comes up proves nothing.
      expect(Object.values(report.cells).filter((count) => count > 0).length).toBeGreaterThan(200);
    },
  );

  it('the same seeds tell the same stories, in one process or in two', { timeout: 120_000 }, async () => {
    const [one, two] = await Promise.all(
      ['1', '2'].map((jobs) => simulate('--seeds', '12', '--from', '40', '--jobs', jobs)),
    );
    expect(two?.report.digest).toBe(one?.report.digest);
    expect(two?.report.cells).toEqual(one?.report.cells);
    expect(one?.report.digest).not.toBe(0);
  });
});
