import { z } from 'zod';
import { costBetween, roundUsd, totalOf, type Amounts } from './billing.js';
import { answer, isoTime, Problem, type CoreReply, type CoreRequest } from './http.js';
import type { PodRecord } from './pod.js';
import { validated } from './schemas.js';

const bucketSizes = ['hour', 'day', 'week', 'month', 'year'] as const;
type BucketSize = (typeof bucketSizes)[number];

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** RunPod REST v2, query of `GET /v2/billing/pods`. Unknown query keys are ignored. */
const reportQuery = z.object({
  startTime: time.optional(),
  endTime: time.optional(),
  lastN: z.coerce.number().int().min(1).max(10_000).optional(),
  bucketSize: z.enum(bucketSizes).default('day'),
  podId: z.string().optional(),
});

const thirtyDaysMs = 30 * 86_400_000;
/** So that one call cannot ask for an endless number of records. */
const maxBuckets = 10_000;

/** The start of the bucket that a moment lies in, `shift` buckets further on. In UTC; weeks begin on Monday. */
function bucketStartMs(atMs: number, size: BucketSize, shift = 0): number {
  const date = new Date(atMs);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  switch (size) {
    case 'hour':
      return Date.UTC(year, month, day, date.getUTCHours() + shift);
    case 'day':
      return Date.UTC(year, month, day + shift);
    case 'week':
      return Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7) + 7 * shift);
    case 'month':
      return Date.UTC(year, month + shift);
    case 'year':
      return Date.UTC(year + shift, 0);
  }
}

function windowOf(query: z.infer<typeof reportQuery>, nowMs: number): { fromMs: number; toMs: number } {
  const { startTime, endTime, lastN, bucketSize } = query;
  if (lastN !== undefined) {
    if (startTime !== undefined || endTime !== undefined) {
      throw new Problem(400, 'lastN and startTime/endTime are mutually exclusive');
    }
    return { fromMs: bucketStartMs(nowMs, bucketSize, 1 - lastN), toMs: bucketStartMs(nowMs, bucketSize, 1) };
  }
  const fromMs = bucketStartMs(startTime ?? nowMs - thirtyDaysMs, bucketSize);
  const endMs = endTime ?? nowMs;
  const floorMs = bucketStartMs(endMs, bucketSize);
  const toMs = floorMs === endMs ? endMs : bucketStartMs(endMs, bucketSize, 1);
  if (toMs < fromMs) throw new Problem(400, 'endTime is before startTime');
  return { fromMs, toMs };
}

const view = (amounts: Amounts): Record<string, number> => ({
  totalAmount: roundUsd(totalOf(amounts)),
  gpuAmount: roundUsd(amounts.gpuAmount),
  cpuAmount: roundUsd(amounts.cpuAmount),
  diskAmount: roundUsd(amounts.diskAmount),
});

/** One record for each pod and bucket in which the pod lived. */
export function podBilling(pods: Iterable<PodRecord>, query: CoreRequest['query'], nowMs: number): CoreReply {
  const parsed = validated(reportQuery, query);
  const { bucketSize, podId } = parsed;
  const { fromMs, toMs } = windowOf(parsed, nowMs);
  const billed = [...pods].filter((pod) => podId === undefined || pod.id === podId);
  const totals: Amounts = { gpuAmount: 0, cpuAmount: 0, diskAmount: 0 };
  const records: Record<string, unknown>[] = [];
  let buckets = 0;
  for (let startMs = fromMs; startMs < toMs; startMs = bucketStartMs(startMs, bucketSize, 1)) {
    if (++buckets > maxBuckets) throw new Problem(400, `the window holds more than ${maxBuckets} buckets`);
    const endMs = bucketStartMs(startMs, bucketSize, 1);
    for (const pod of billed) {
      if (pod.createdAtMs >= Math.min(endMs, nowMs + 1) || (pod.terminatedAtMs ?? Infinity) <= startMs) continue;
      const amounts = costBetween(pod, startMs, Math.min(endMs, nowMs));
      for (const part of ['gpuAmount', 'cpuAmount', 'diskAmount'] as const) totals[part] += amounts[part];
      records.push({ startTime: isoTime(startMs), endTime: isoTime(endMs), podId: pod.id, ...view(amounts) });
    }
  }
  return answer(200, {
    records,
    metadata: {
      query: { startTime: isoTime(fromMs), endTime: isoTime(toMs), bucketSize, podId: podId ?? null },
      recordCount: records.length,
      uniquePodCount: new Set(records.map((record) => record.podId)).size,
      totals: view(totals),
    },
  });
}
