import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, messageOf } from './config-error.js';
import type { Account } from './core/core.js';
import { podRecordSchema } from './core/pod.js';
import { templateSchema } from './core/templates.js';
import { runningContainerSchema, type RunningContainers } from './pods/container-runner.js';

/** One fact a line; of two about the same thing the later one holds. A container that is null does not run any more. */
const entrySchema = z.union([
  z.strictObject({ version: z.literal(1) }),
  z.strictObject({ pod: podRecordSchema }),
  z.strictObject({ template: templateSchema }),
  z.strictObject({ container: z.strictObject({ podId: z.string(), running: runningContainerSchema.nullable() }) }),
]);
export type JournalEntry = z.infer<typeof entrySchema>;

export interface JournalState {
  readonly account: Account;
  readonly containers: RunningContainers;
}

/** The file is written anew when it has grown by this much and is several times as long as it has to be. */
const compactAfterBytes = 8 * 1024 * 1024;
const compactAtTimes = 4;

/**
 * The account on disk, as a file that only grows: a change costs its own length, however many pods there are, and an
 * emulator that is killed loses at most the line that it was writing, of which nobody had been told.
 */
export class AccountJournal {
  private compactBytes = 0;
  private grownBytes = 0;
  private torn = true;

  /** `state` is what the whole file would have to say; it is asked for when the file is written anew. */
  constructor(
    private readonly file: string,
    private readonly state: () => JournalState,
  ) {}

  /** What an earlier emulator left; undefined where there was none. Throws a ConfigError for a file that is damaged. */
  static read(file: string): JournalState | undefined {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new ConfigError(`cannot read ${file}: ${messageOf(error)}. Make it readable, or use another --data-dir.`);
    }
    // Whatever follows the last end of a line was being written when the emulator was killed.
    const lines = text.split('\n').slice(0, -1);
    if (lines.length === 0) throw damaged(file, 1);
    return stateOf(lines.map((line, index) => entryOf(line) ?? fail(damaged(file, index + 1))));
  }

  /** Adds entries. After a failure, which may have left half a line, the next call writes the whole file. */
  append(entries: readonly JournalEntry[]): void {
    if (this.torn || this.grownBytes > Math.max(compactAfterBytes, compactAtTimes * this.compactBytes)) {
      this.writeAnew();
      return;
    }
    if (entries.length === 0) return;
    const text = asLines(entries);
    this.torn = true;
    appendFileSync(this.file, text);
    this.torn = false;
    this.grownBytes += text.length;
  }

  /** Readable for its owner alone: the environments of living pods are in it. */
  private writeAnew(): void {
    const { account, containers } = this.state();
    const text = asLines([
      { version: 1 },
      ...account.pods.map((pod) => ({ pod })),
      ...account.templates.map((template) => ({ template })),
      ...Object.entries(containers).map(([podId, running]) => ({ container: { podId, running } })),
    ]);
    const temporary = `${this.file}.tmp`;
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, this.file);
    this.torn = false;
    this.compactBytes = text.length;
    this.grownBytes = 0;
  }
}

const asLines = (entries: readonly JournalEntry[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');

function entryOf(line: string): JournalEntry | undefined {
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function stateOf(entries: readonly JournalEntry[]): JournalState {
  const pods = new Map<string, Account['pods'][number]>();
  const templates = new Map<string, Account['templates'][number]>();
  const containers = new Map<string, RunningContainers[string] | null>();
  for (const entry of entries) {
    if ('pod' in entry) pods.set(entry.pod.id, entry.pod);
    if ('template' in entry) templates.set(entry.template.id, entry.template);
    if ('container' in entry) containers.set(entry.container.podId, entry.container.running);
  }
  const running = [...containers].filter((entry): entry is [string, RunningContainers[string]] => entry[1] !== null);
  return {
    account: { pods: [...pods.values()], templates: [...templates.values()] },
    containers: Object.fromEntries(running),
  };
}

const damaged = (file: string, line: number): ConfigError =>
  new ConfigError(
    `${file} is damaged in line ${line}: it knows which pods are alive, so it is not replaced. Move its folder away to begin a new account, or use another --data-dir.`,
  );

function fail(error: Error): never {
  throw error;
}
