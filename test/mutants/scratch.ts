import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Compiler } from './compiler.js';
import { mutated, StaleMutant, type Invalid, type Mutant } from './mutant.js';

/** A copy of what git tracks, as it stands in the tree, that may be broken. It goes with this process. */
export class Scratch {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'devloop-mutants-')));
  private readonly compiler = new Compiler(this.dir);
  /** Changed since the compiler looked last. */
  private readonly changed = new Set<string>();
  private isCompiled = false;
  private isBundled = false;

  constructor(tree: string) {
    process.once('exit', () => {
      rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
    });
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: tree });
    for (const file of listed.toString('utf8').split('\0').filter(Boolean)) {
      mkdirSync(dirname(join(this.dir, file)), { recursive: true });
      cpSync(join(tree, file), join(this.dir, file));
    }
    symlinkSync(realpathSync(join(tree, 'node_modules')), join(this.dir, 'node_modules'));
    const problems = this.compiler.check([]);
    if (problems.length > 0) throw new Error(`the tree itself does not compile: ${problems.join('; ')}`);
  }

  /** Runs the work with the protections taken out. @returns what keeps a mutant from being made, or the work's result */
  async with<T>(taken: readonly Mutant[], work: () => Promise<T>): Promise<T | Invalid> {
    const before = new Map<string, string>();
    try {
      for (const mutant of taken) {
        const text = readFileSync(join(this.dir, mutant.file), 'utf8');
        const broken = mutated(text, mutant);
        if (!before.has(mutant.file)) before.set(mutant.file, text);
        this.write(mutant.file, broken);
      }
      const problems = [...before.keys()].flatMap((file) => this.problemsOf(file));
      return problems.length === 0 ? await work() : { verdict: 'invalid', why: problems.join('; ') };
    } catch (error) {
      if (!(error instanceof StaleMutant)) throw error;
      return { verdict: 'invalid', why: error.message };
    } finally {
      for (const [file, text] of before) this.write(file, text);
    }
  }

  /** `dist/` as the sources are now. */
  build(): void {
    this.compile();
    if (this.isBundled) return;
    execFileSync(process.execPath, ['dist/scripts/build-workflow-bundle.js'], { cwd: this.dir, stdio: 'pipe' });
    this.isBundled = true;
  }

  /** The same without the workflow bundle, which a simulation has no use for. */
  compile(): void {
    if (this.isCompiled) return;
    this.compiler.check([...this.changed]);
    this.changed.clear();
    this.compiler.emit();
    this.isCompiled = true;
  }

  private write(file: string, text: string): void {
    writeFileSync(join(this.dir, file), text);
    this.changed.add(file);
    if (!file.endsWith('.ts')) return;
    this.isCompiled = false;
    this.isBundled = false;
  }

  private problemsOf(file: string): string[] {
    if (file.endsWith('.sh')) execFileSync('bash', ['-n', join(this.dir, file)]);
    if (!file.endsWith('.ts')) return [];
    const problems = this.compiler.check([...this.changed]);
    this.changed.clear();
    return problems;
  }
}
