import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** As the simulation ends when a seed breaks an invariant. */
const FOUND = 4;

export interface Stories {
  readonly from: number;
  readonly seeds: number;
  /** Only those with this fault, or of this scene. */
  readonly showsWith?: string | undefined;
}

/** @returns the first of the stories that fails, as the tree stands. @throws when they could not be told */
export async function failingSeed(dir: string, { from, seeds, showsWith }: Stories): Promise<number | undefined> {
  const only = showsWith === undefined ? [] : ['--with', showsWith];
  const which = ['--from', String(from), '--seeds', String(seeds), ...only];
  const args = ['run', '--silent', 'simulate', '--', '--until-failure', '--json', ...which];
  const child = spawn('npm', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [code, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code === 0) return undefined;
  if (code !== FOUND) throw new Error(`the simulation ended with ${code}: ${errors.slice(-300)}`);
  const { failed } = JSON.parse(output) as { readonly failed: readonly { readonly seed: number }[] };
  return failed[0]?.seed;
}
