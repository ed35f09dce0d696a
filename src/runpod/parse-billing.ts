import * as z from 'zod';
import { isoTime, numeric } from './parse.js';
import type { BilledDay } from './types.js';

const recordSchema = z.object({
  podId: z.string().min(1),
  startTime: z.string(),
  gpuAmount: numeric,
  cpuAmount: numeric.catch(0),
  diskAmount: numeric.catch(0),
});
const reportSchema = z.object({ records: z.array(recordSchema) });

/** `GET /billing/pods` by days. @throws Error when any part cannot be read: half a bill proves nothing */
export function parseBilling(value: unknown): BilledDay[] {
  const { data, error } = reportSchema.safeParse(value);
  if (data === undefined) throw new Error(`a bill without readable "${error.issues[0]?.path.join('.') ?? 'records'}"`);
  return data.records.map(({ podId, startTime, gpuAmount, cpuAmount, diskAmount }) => {
    const day = isoTime(startTime)?.slice(0, 10);
    if (day === undefined) throw new Error('a bill whose days cannot be read');
    return { podId, day, computeUsd: gpuAmount + cpuAmount, diskUsd: diskAmount };
  });
}
