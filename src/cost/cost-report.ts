import * as z from 'zod';

const usd = z.number();
const day = z.string().regex(/^\d{4}-\d\d-\d\d$/);
const isoTime = z.iso.datetime();
const byKind = { busyUsd: usd, bootUsd: usd, idleUsd: usd };

/** Money in US dollars to nine digits: sums of rounded figures may differ in the last one, the figures behind them do not. */
export const costReportSchema = z.object({
  /** A midnight, UTC: the report has whole days. */
  since: isoTime,
  until: isoTime,
  totalUsd: usd,
  /** What the pods that live now cost an hour. */
  perHourNowUsd: usd,
  /** The total by what the pods did: used, booting, unused. */
  shares: z.object(byKind),
  /** Every day, oldest first. */
  perDay: z.array(z.object({ day, usd, byProject: z.array(z.object({ project: z.string(), usd })) })),
  /** The dearest first. */
  perProject: z.array(z.object({ project: z.string(), usd, leaseSeconds: z.number(), leases: z.int() })),
  perGpu: z.array(z.object({ gpu: z.string(), usd, podSeconds: z.number() })),
  /** The newest first. */
  sessions: z.array(
    z.object({
      session: z.string(),
      project: z.string().optional(),
      startedAt: isoTime,
      endedAt: isoTime.optional(),
      live: z.boolean(),
      usd,
      podSeconds: z.number(),
      ...byKind,
    }),
  ),
  /** The newest 100. */
  jobs: z.array(
    z.object({
      jobId: z.string(),
      session: z.string(),
      project: z.string().optional(),
      usd,
      leaseSeconds: z.number(),
    }),
  ),
  /** What is not in the figures, and why. */
  problems: z.array(z.string()),
});
export type CostReport = z.output<typeof costReportSchema>;

/** How far back a report goes. */
export const sinceSchema = z
  .string()
  .regex(/^[1-9]\d{0,2}[dh]$/, 'must be a number of days or hours, at most 999, such as 7d or 36h');

export const DEFAULT_SINCE = '7d';

/** Milliseconds of what `sinceSchema` took. */
export function sinceMs(since: string): number {
  return Number(since.slice(0, -1)) * (since.endsWith('d') ? 86_400_000 : 3_600_000);
}
