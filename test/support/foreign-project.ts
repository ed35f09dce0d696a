import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '..', '..');

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Another project: a folder of its own with packages of its own, which knows nothing of this repository. */
export class ForeignProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'foreign-'));

  /** @param env of its programs, on top of what a shell has */
  constructor(private readonly env: NodeJS.ProcessEnv) {}

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
    const options = { cwd: this.folder, env: { ...Object.fromEntries(inherited), ...this.env }, timeout: 300_000 };
    return new Promise((resolve) => {
      execFile(command, args, options, (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : error ? 1 : 0;
        resolve({ code, stdout, stderr });
      });
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The code blocks of one language under a heading of a Markdown page, in their order. */
export function codeBlocks(page: string, heading: string, language: string): string[] {
  const text = readFileSync(join(REPOSITORY, page), 'utf8');
  const from = text.indexOf(`\n## ${heading}\n`);
  if (from < 0) throw new Error(`${page} has no heading "${heading}"`);
  const end = text.indexOf('\n## ', from + 1);
  const section = text.slice(from, end < 0 ? undefined : end);
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, code = '']) => code,
  );
}
