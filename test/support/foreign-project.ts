import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from './markdown.js';

export interface Ran {
  readonly code: number;
  /** What killed it. */
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Another project: a folder of its own with packages of its own, which knows nothing of this repository. */
export class ForeignProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'foreign-'));
  private readonly children: ChildProcess[] = [];

  /** @param env of its programs, on top of what a shell has */
  constructor(private readonly env: NodeJS.ProcessEnv = {}) {}

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  copy(from: string): void {
    cpSync(join(REPOSITORY, from), this.folder, { recursive: true });
  }

  /** @throws when the command ends with another code than 0 */
  async do(command: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, ...args);
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  run(command: string, ...args: string[]): Promise<Ran> {
    // Nothing of the test's own settings: they would hide what a project has to set by itself.
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(DEVLOOP|TEMPORAL|RUNPOD|NODE|npm|VITEST)_/.test(name),
    );
    const options = {
      cwd: this.folder,
      env: { ...Object.fromEntries(inherited), ...this.env },
      timeout: 300_000,
      maxBuffer: 2 ** 24,
    };
    return new Promise((resolve) => {
      execFile(command, args, options, (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : error ? 1 : 0;
        resolve({ code, signal: error?.signal ?? undefined, stdout, stderr });
      });
    });
  }

  /** A program that goes on beside the test, with nothing but these settings. */
  start(program: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const child = spawn(program, args, { cwd: this.folder, env: { PATH: process.env.PATH, ...env }, stdio: 'inherit' });
    this.children.push(child);
    return child;
  }

  /** With all that still runs of it. */
  remove(): void {
    for (const child of this.children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
