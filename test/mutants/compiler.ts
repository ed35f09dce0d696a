import { join } from 'node:path';
import ts from 'typescript';

/** Compiles a tree again and again while single files of it change: seconds for the first time, less after that. */
export class Compiler {
  private readonly sources = new Map<string, ts.SourceFile>();
  private program: ts.EmitAndSemanticDiagnosticsBuilderProgram | undefined;

  constructor(private readonly dir: string) {}

  /** @returns what is wrong, a line each */
  check(changed: readonly string[]): string[] {
    for (const file of changed) this.sources.delete(join(this.dir, file));
    const config = ts.getParsedCommandLineOfConfigFile(
      join(this.dir, 'tsconfig.json'),
      { outDir: join(this.dir, 'dist'), sourceMap: false, declaration: false },
      { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
    );
    if (!config) throw new Error(`${this.dir}: no tsconfig.json`);
    const host = this.host(config.options);
    this.program = ts.createEmitAndSemanticDiagnosticsBuilderProgram(
      config.fileNames,
      config.options,
      host,
      this.program,
    );
    const problems = [...this.program.getSyntacticDiagnostics(), ...this.program.getSemanticDiagnostics()];
    return problems.map(({ file, messageText }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, ' ');
      return file ? `${file.fileName.slice(this.dir.length + 1)}: ${text}` : text;
    });
  }

  /** Writes `dist/`: what has changed since it was written last. */
  emit(): void {
    this.program?.emit();
  }

  private host(options: ts.CompilerOptions): ts.CompilerHost {
    const host = ts.createIncrementalCompilerHost(options);
    const read = host.getSourceFile.bind(host);
    host.getSourceFile = (name, ...rest) => {
      const known = this.sources.get(name) ?? read(name, ...rest);
      if (known) this.sources.set(name, known);
      return known;
    };
    return host;
  }
}
