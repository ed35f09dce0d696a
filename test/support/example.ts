import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const EXAMPLES = resolve(import.meta.dirname, '../../examples');

/** An example as somebody else's project: a copy in a folder of its own, with nothing of ours around it. */
export class ExampleProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'devloop-example-'));
  private readonly children: ChildProcess[] = [];

  constructor(example: string) {
    cpSync(join(EXAMPLES, example), this.folder, { recursive: true });
  }

  /** @throws Error with what the program printed when it fails */
  async run(program: string, args: readonly string[]): Promise<void> {
    await run(program, args, { cwd: this.folder, maxBuffer: 2 ** 24 });
  }

  start(program: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const child = spawn(program, args, { cwd: this.folder, env: { PATH: process.env.PATH, ...env }, stdio: 'inherit' });
    this.children.push(child);
    return child;
  }

  end(): void {
    for (const child of this.children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
