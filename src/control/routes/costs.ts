import * as z from 'zod';
import { costReportSchema, DEFAULT_SINCE, sinceMs, sinceSchema } from '../../cost/cost-report.js';
import { dayStart } from '../../cost/days.js';
import { readSessions } from '../../cost/read-sessions.js';
import { costReport } from '../../cost/report.js';
import { operation, TEMPORAL_CODES, type Operation } from '../operation.js';
import type { TemporalLink } from '../temporal-link.js';

export function costOperation(temporal: TemporalLink): Operation {
  return operation({
    method: 'GET',
    path: '/costs',
    id: 'getCosts',
    summary:
      'What sessions cost, per day (UTC), project, GPU, session and job: those that ended since then, as long as Temporal keeps them, and those that run, up to now.',
    query: z.object({ since: sinceSchema.default(DEFAULT_SINCE) }),
    answers: { 200: { description: 'The costs.', schema: costReportSchema } },
    codes: TEMPORAL_CODES,
    run: async ({ query: { since }, signal }) => {
      const client = await temporal.get(signal);
      const untilMs = Date.now();
      const fromMs = dayStart(untilMs - sinceMs(since));
      const known = await readSessions(client, new Date(fromMs), signal);
      return { status: 200, body: costReport(known, fromMs, untilMs) };
    },
  });
}
