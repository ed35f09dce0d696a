import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Mutant } from './mutant.js';
import type { Verdict } from './run-tests.js';

/** As the simulation ends when a seed breaks an invariant. */
const FOUND = 4;

/** Lets the simulation look for the seed that needs the protection. */
export async function runSimulation(dir: string, seeds: number, { showsWith }: Mutant): Promise<Verdict> {
  const only = showsWith === undefined ? [] : ['--with', showsWith];
  const args = ['run', '--silent', 'simulate', '--', '--seeds', String(seeds), '--until-failure', '--json', ...only];
  const child = spawn('npm', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [code, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code === 0) return { verdict: 'survived', of: `${seeds} stories` };
  if (code !== FOUND) return { verdict: 'broken', why: `the simulation ended with ${code}: ${errors.slice(-300)}` };
  const { failed } = JSON.parse(output) as { readonly failed: readonly unknown[] };
  return { verdict: 'killed', by: `seed ${seedOf(failed[0])}` };
}

function seedOf(failure: unknown): string {
  const seed: unknown = typeof failure === 'object' && failure !== null && 'seed' in failure ? failure.seed : failure;
  return typeof seed === 'number' ? String(seed) : JSON.stringify(seed);
}
