import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { z } from 'zod';
import { isoTime, type LogQuery, type LogSource } from '../core/http.js';

/** One line of a pod's log. The sequence tells lines of one moment apart. */
export interface LogEvent {
  readonly atMs: number;
  readonly sequence: number;
  readonly source: LogSource;
  readonly line: string;
}

/** RunPod REST v2, query of the logs: at most 5000 lines of the past. */
const keptLines = 5000;
const longestLine = 65_536;
const blockBytes = 65_536;
const longestPastBytes = 4 * 1024 * 1024;

const systemLine = z.object({ atMs: z.number(), line: z.string() });

/**
 * The log of one pod. What its processes write goes straight into `container.log`, so that it survives this emulator;
 * a line's time is when it was first seen here. The system's lines are kept in `system.log` with their times.
 */
export class PodLog {
  private readonly events: LogEvent[] = [];
  private readonly readers = new Set<(event: LogEvent) => void>();
  private readonly decoder = new StringDecoder('utf8');
  private sequence = 0;
  private offset = 0;
  private unfinished = '';

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
    for (const { atMs, line } of this.pastSystemLines()) this.add('system', line, atMs);
    this.refresh();
  }

  /** The file that a container's stdout and stderr are appended to. */
  get containerFile(): string {
    return path.join(this.folder, 'container.log');
  }

  addSystemLine(line: string, atMs: number): void {
    appendFileSync(this.systemFile, `${JSON.stringify({ atMs, line })}\n`);
    this.add('system', line, atMs);
  }

  /** Reads what the container has written since the last call. */
  refresh(): void {
    const stat = statSync(this.containerFile, { throwIfNoEntry: false });
    if (!stat || stat.size <= this.offset) return;
    // Of a long past only the end: nobody can ask for more lines than are kept.
    if (this.offset === 0) this.offset = Math.max(0, stat.size - longestPastBytes);
    const atMs = Math.round(stat.mtimeMs);
    const file = openSync(this.containerFile, 'r');
    try {
      const block = Buffer.alloc(Math.min(blockBytes, stat.size - this.offset));
      for (;;) {
        const length = readSync(file, block, 0, block.length, this.offset);
        if (length === 0) return;
        this.offset += length;
        this.addText(this.decoder.write(block.subarray(0, length)), atMs);
      }
    } finally {
      closeSync(file);
    }
  }

  /** The lines of the past that the query wants, in their order. */
  past(query: LogQuery): LogEvent[] {
    this.refresh();
    const { since, sources, tail } = query;
    const wanted = this.events.filter((event) => sources.includes(event.source));
    if (since) {
      const { atMs, sequence = -1 } = since;
      return wanted.filter((event) => event.atMs > atMs || (event.atMs === atMs && event.sequence > sequence));
    }
    return tail === 0 ? [] : wanted.slice(-tail);
  }

  /** Calls for every line from now on; the answer ends it. */
  follow(reader: (event: LogEvent) => void): () => void {
    this.readers.add(reader);
    return () => this.readers.delete(reader);
  }

  private get systemFile(): string {
    return path.join(this.folder, 'system.log');
  }

  private pastSystemLines(): z.infer<typeof systemLine>[] {
    let text: string;
    try {
      text = readFileSync(this.systemFile, 'utf8');
    } catch {
      return [];
    }
    return text.split('\n').flatMap((line) => {
      try {
        return [systemLine.parse(JSON.parse(line))];
      } catch {
        // The last line may be half written when the emulator was killed.
        return [];
      }
    });
  }

  private addText(text: string, atMs: number): void {
    const lines = (this.unfinished + text).split('\n');
    this.unfinished = lines.pop() ?? '';
    if (this.unfinished.length > longestLine) {
      lines.push(this.unfinished);
      this.unfinished = '';
    }
    for (const line of lines) this.add('container', line.replace(/\r$/, ''), atMs);
  }

  private add(source: LogSource, line: string, atMs: number): void {
    const event = { atMs, sequence: ++this.sequence, source, line };
    this.events.push(event);
    if (this.events.length > 2 * keptLines) this.events.splice(0, this.events.length - keptLines);
    for (const reader of this.readers) reader(event);
  }
}

/** An event as RunPod REST v2 sends it: its id is its time and number, its data a JSON text. */
export const asServerSentEvent = ({ atMs, sequence, source, line }: LogEvent): string =>
  `id: ${isoTime(atMs)}/${String(sequence).padStart(12, '0')}\ndata: ${JSON.stringify({ ts: isoTime(atMs), source, line })}\n\n`;
