import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { seedOf } from '../support/seeded.js';

const STORIES = 40;
const SEED = seedOf();

interface Told {
  readonly sessions: number;
  readonly looks: number;
  readonly leases: number;
  readonly furtherPods: number;
  readonly overMidnight: number;
  readonly problems: readonly string[];
}

/** The stand-in for Temporal needs a process of its own. */
async function tell(from: number, count: number): Promise<Told> {
  const built = (path: string): string => fileURLToPath(new URL(`../../dist/test/simulation/${path}`, import.meta.url));
  const args = ['--import', built('temporal/register.js'), built('costs/main.js'), String(from), String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 });
  return JSON.parse(stdout) as Told;
}

describe('what sessions cost', () => {
  it(`is what was billed, in ${STORIES} stories from seed ${SEED} on`, { timeout: 120_000 }, async () => {
    const { problems, sessions, looks, leases, furtherPods, overMidnight } = await tell(SEED, STORIES);
    expect(problems).toEqual([]);
    // Stories in which nothing happens prove nothing.
    expect(Math.min(sessions, leases)).toBeGreaterThan(STORIES);
    expect(Math.min(looks, furtherPods, overMidnight)).toBeGreaterThan(STORIES / 10);
  });
});
