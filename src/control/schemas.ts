import * as z from 'zod';
import {
  agentJobInputSchema,
  agentJobResultSchema,
  ERROR_CODES,
  JOB_PHASES,
  jobIdSchema,
  jobStatusSchema,
  podSessionInputSchema,
  sessionNameSchema,
  sessionStatusSchema,
} from '../contract/index.js';
import { costReportSchema } from '../cost/cost-report.js';
import { problemSchema } from './problems.js';

const isoTime = z.iso.datetime();

export const stopRequestSchema = z.object({
  session: sessionNameSchema,
  reason: z.string().min(1).max(500).default('asked to stop through the control API'),
});

/** A job's input with the id under which it may be sent again. */
export const jobSubmissionSchema = agentJobInputSchema.extend({ jobId: jobIdSchema.optional() });

export const submittedJobSchema = z.object({
  jobId: z.string(),
  workflowId: z.string(),
  /** A job of this id was submitted before: this is that one, whatever was sent now. */
  joined: z.boolean(),
});

const failureSchema = z.object({ code: z.enum(ERROR_CODES), message: z.string() });

/** `result` or `failure` once the job has ended. */
export const jobReportSchema = z.object({
  jobId: z.string(),
  status: jobStatusSchema,
  result: agentJobResultSchema.optional(),
  failure: failureSchema.optional(),
});

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
export const jobListSchema = z.object({ jobs: z.array(listedJobSchema) });
export const livesSchema = z.object({ ok: z.literal(true) });
export const readySchema = z.object({ ready: z.boolean() });

/** Names of the schemas in `/openapi.json`: what is sent to this server, and what it answers. */
export const INPUTS = {
  PodSessionInput: podSessionInputSchema,
  StopRequest: stopRequestSchema,
  JobSubmission: jobSubmissionSchema,
};
export const OUTPUTS = {
  SessionStatus: sessionStatusSchema,
  SessionList: sessionListSchema,
  SubmittedJob: submittedJobSchema,
  JobStatus: jobStatusSchema,
  JobResult: agentJobResultSchema,
  JobReport: jobReportSchema,
  ListedJob: listedJobSchema,
  JobList: jobListSchema,
  Costs: costReportSchema,
  Lives: livesSchema,
  Ready: readySchema,
  Problem: problemSchema,
};
