import type { DevloopClient } from '../client/index.js';
import { factsOfClosed } from '../cost/session-facts.js';
import { factsOfJob } from './job-facts.js';
import type { Line } from './log-file.js';
import type { LogFolder } from './log-folder.js';
import { pagesOf } from './pages.js';

/** Temporal's listing lags, and two exports may have run at once: what closed within this before the newest line is asked for again. */
const OVERLAP_MS = 86_400_000;

export interface Exported {
  /** How many were added. */
  readonly sessions: number;
  readonly jobs: number;
}

/**
 * Brings the log up to what Temporal has: adds what has closed since, and writes the pages anew. Twice is the same as once.
 * @throws DevloopError `TEMPORAL_UNREACHABLE`, `INVALID_INPUT` (the log cannot be read); the signal's reason
 */
export async function exportLog(client: DevloopClient, log: LogFolder, signal: AbortSignal): Promise<Exported> {
  const known = log.read();
  const sessions = await client.listClosedSessions({ since: askFrom(known.sessions), signal });
  const jobs = await client.listClosedJobs({ since: askFrom(known.jobs), signal });
  const added = log.add({ sessions: sessions.map(factsOfClosed), jobs: jobs.map(factsOfJob) });
  log.show(pagesOf(log.read()));
  return added;
}

function askFrom(lines: readonly Line[]): Date {
  const newestMs = Math.max(0, ...lines.map(({ endedAt }) => Date.parse(endedAt)));
  return new Date(Math.max(0, newestMs - OVERLAP_MS));
}
