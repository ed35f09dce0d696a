import { unlessAborted } from '../../client/internal.js';
import { operation, TEMPORAL_CODES, type Operation } from '../operation.js';
import { LastJobs } from '../overview/last-jobs.js';
import { lookAtAll } from '../overview/overview.js';
import { overviewSchema, type Overview } from '../overview/schemas.js';
import type { TemporalLink } from '../temporal-link.js';

/** However many ask, Temporal is looked at once in this time. */
const LOOK_FOR_MS = 1000;
const LOOK_TIMEOUT_MS = 20_000;

export function overviewOperation(temporal: TemporalLink, webUi: string | undefined): Operation {
  const lastJobs = new LastJobs();
  let looked: { readonly atMs: number; readonly overview: Promise<Overview> } | undefined;
  const look = async (): Promise<Overview> => {
    const signal = AbortSignal.timeout(LOOK_TIMEOUT_MS);
    return lookAtAll(await temporal.get(signal), lastJobs, webUi, signal);
  };
  return operation({
    method: 'GET',
    path: '/overview',
    id: 'getOverview',
    summary:
      'What the dashboard shows: sessions, the last ten jobs with their figures, what may be leaking by the last report of the reaper, and which killers are alive.',
    answers: { 200: { description: 'All of it; what is not known says so.', schema: overviewSchema } },
    codes: TEMPORAL_CODES,
    run: async ({ signal }) => {
      if (looked === undefined || Date.now() - looked.atMs > LOOK_FOR_MS) {
        const overview = look();
        // Whoever asked may be gone when it fails.
        overview.catch(() => undefined);
        looked = { atMs: Date.now(), overview };
      }
      return { status: 200, body: await unlessAborted(looked.overview, signal) };
    },
  });
}
