import * as z from 'zod';
import type { ClosedJob } from '../client/index.js';
import { ERROR_CODES, JOB_PHASES, usageSchema } from '../contract/index.js';

/** A job's line of the public log. It names each field: neither what was asked nor what was answered is among them. */
export const jobFactsSchema = z.object({
  runId: z.string(),
  jobId: z.string(),
  session: z.string().optional(),
  agent: z.string().optional(),
  project: z.string().optional(),
  state: z.enum(JOB_PHASES),
  code: z.enum(ERROR_CODES).optional(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  podId: z.string().optional(),
  usage: usageSchema.optional(),
  waitSeconds: z.number().optional(),
  runSeconds: z.number().optional(),
});
export type JobFacts = z.output<typeof jobFactsSchema>;

export function factsOfJob(job: ClosedJob): JobFacts {
  return jobFactsSchema.parse(job);
}
