import pc from 'picocolors';

export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** False: `--no-color`. */
  readonly color?: boolean;
}

export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

let written = false;

/** Whether stdout holds its one document: an error that comes later must not add another. */
export function documentWritten(): boolean {
  return written;
}

export function writeDocument(document: unknown, stdout: NodeJS.WritableStream = process.stdout): void {
  written = true;
  stdout.write(`${JSON.stringify(document)}\n`);
}

/**
 * Where words go. `result` is what was asked for and goes to stdout. `note` accompanies it: to stdout too where the notes are
 * the point of the command, to stderr where somebody may pipe the result on, and always under `--json`, whose stdout holds
 * exactly one document.
 */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly notes: NodeJS.WriteStream;
  readonly colors: ReturnType<typeof pc.createColors>;

  constructor(
    options: OutputOptions,
    notesTo: 'stdout' | 'stderr' = 'stdout',
    private readonly streams: Streams = process,
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.json = options.json ?? false;
    this.quiet = options.quiet ?? false;
    this.notes = this.json || notesTo === 'stderr' ? streams.stderr : streams.stdout;
    // Asked with undefined, as a pipe's isTTY is, the library decides by itself, and takes CI for a terminal.
    const isTerminal = (this.notes.isTTY as boolean | undefined) ?? false;
    this.colors = pc.createColors(isTerminal && !env.NO_COLOR && options.color !== false);
  }

  /** Whether somebody watches: a spinner and a countdown make sense. A terminal without a width, as some have, shows none. */
  get live(): boolean {
    return !this.quiet && this.notes.isTTY && this.notes.columns > 0;
  }

  note(line: string): void {
    if (!this.quiet) this.notes.write(`${line}\n`);
  }

  /** What was asked for: `document` under `--json`, else `text`. */
  result(document: unknown, text: string): void {
    if (this.json) this.document(document);
    else this.streams.stdout.write(`${text}\n`);
  }

  /** For commands whose notes already said everything: a document under `--json` only. */
  document(document: unknown): void {
    if (this.json) writeDocument(document, this.streams.stdout);
  }

  error(line: string): void {
    this.streams.stderr.write(`${line}\n`);
  }
}
