import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sessionFactsSchema, type SessionFacts } from '../cost/session-facts.js';
import { jobFactsSchema, type JobFacts } from './job-facts.js';
import { addLines, readLines, writeWhole } from './log-file.js';

export interface Logged {
  readonly sessions: readonly SessionFacts[];
  readonly jobs: readonly JobFacts[];
}

/** The public log: `sessions.jsonl` and `jobs.jsonl`, and the pages made of them. */
export class LogFolder {
  constructor(readonly folder: string) {}

  private get sessionsFile(): string {
    return join(this.folder, 'sessions.jsonl');
  }

  private get jobsFile(): string {
    return join(this.folder, 'jobs.jsonl');
  }

  /** @throws DevloopError `INVALID_INPUT` */
  read(): Logged {
    return {
      sessions: readLines(this.sessionsFile, sessionFactsSchema),
      jobs: readLines(this.jobsFile, jobFactsSchema),
    };
  }

  /** @returns how many of each are new */
  add({ sessions, jobs }: Logged): { sessions: number; jobs: number } {
    mkdirSync(this.folder, { recursive: true });
    return {
      sessions: addLines(this.sessionsFile, sessionFactsSchema, sessions),
      jobs: addLines(this.jobsFile, jobFactsSchema, jobs),
    };
  }

  /** @param pages text by file name */
  show(pages: ReadonlyMap<string, string>): void {
    for (const [name, text] of pages) writeWhole(join(this.folder, name), text);
  }
}
