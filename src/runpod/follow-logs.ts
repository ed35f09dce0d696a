import { lineOf } from './logs.js';

/** Reads one log over several connections: each goes on after the last line of the one before. */
export class LogFollower {
  /** RunPod REST v2, header `Last-Event-ID` of `GET /pods/{id}/logs`. */
  private lastEventId: string | undefined;

  constructor(private readonly onLine: (line: string) => void) {}

  get headers(): Readonly<Record<string, string>> {
    return this.lastEventId === undefined ? {} : { 'Last-Event-ID': this.lastEventId };
  }

  /** Server-sent events, line by line; an event counts once it is complete. */
  async read(source: AsyncIterable<string>): Promise<void> {
    let id: string | undefined;
    let line: string | undefined;
    for await (const raw of source) {
      if (raw.startsWith('id:')) id = raw.slice(3).trim();
      else if (raw.startsWith('data:')) line = lineOf(raw);
      else if (raw === '') {
        if (line !== undefined) this.onLine(line);
        this.lastEventId = id ?? this.lastEventId;
        id = line = undefined;
      }
    }
  }
}
