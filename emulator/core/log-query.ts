import { z } from 'zod';
import { logSources, type CoreRequest, type LogQuery } from './http.js';
import { validated } from './schemas.js';

const instant = z.iso.datetime({ offset: true });

/** RunPod REST v2, query of `GET /v2/pods/{id}/logs`. */
const query = z.object({
  source: z.enum(logSources).optional(),
  tail: z.coerce.number().int().min(0).max(5000).default(100),
  since: instant.optional(),
});

/** An event id as this API gives it out: a time, and a number that tells events of one time apart. */
const eventId = /^(.+?)(?:\/(\d+))?$/;

function resumePoint(request: CoreRequest, since: string | undefined): LogQuery['since'] {
  const [, time = '', sequence] = eventId.exec(request.headers['last-event-id'] ?? '') ?? [];
  if (instant.safeParse(time).success) {
    return { atMs: Date.parse(time), ...(sequence === undefined ? {} : { sequence: Number(sequence) }) };
  }
  return since === undefined ? undefined : { atMs: Date.parse(since) };
}

/** What the caller wants of the log. `Last-Event-ID` rules over `since`, and `since` over `tail`. */
export function readLogQuery(podId: string, request: CoreRequest): LogQuery {
  const { source, tail, since } = validated(query, request.query);
  const resume = resumePoint(request, since);
  return { podId, sources: source ? [source] : logSources, tail, ...(resume ? { since: resume } : {}) };
}
