import * as z from 'zod';
import { ERROR_CODES, JOB_PHASES, sessionStatusSchema } from '../contract/index.js';

const isoTime = z.iso.datetime();

export const failureSchema = z.object({ code: z.enum(ERROR_CODES), message: z.string() });

export const listedJobSchema = z.object({
  jobId: z.string(),
  session: z.string().optional(),
  project: z.string().optional(),
  state: z.enum(JOB_PHASES),
  startedAt: isoTime,
  endedAt: isoTime.optional(),
});

/** A session that runs and could not be asked how it stands. */
export const unansweredSchema = z.object({ session: z.string(), code: z.enum(ERROR_CODES), detail: z.string() });
export type Unanswered = z.output<typeof unansweredSchema>;

export const sessionListSchema = z.object({
  sessions: z.array(sessionStatusSchema),
  unanswered: z.array(unansweredSchema),
});
