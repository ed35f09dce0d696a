import * as z from 'zod';
import {
  agentJobInputSchema,
  agentJobResultSchema,
  jobIdSchema,
  jobStatusSchema,
  podSessionInputSchema,
  sessionNameSchema,
  sessionStatusSchema,
} from '../contract/index.js';
import { costReportSchema } from '../cost/cost-report.js';
import { failureSchema, listedJobSchema, sessionListSchema } from './listed-schemas.js';
import { overviewSchema } from './overview/schemas.js';
import { problemSchema } from './problems.js';

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

/** `result` or `failure` once the job has ended. */
export const jobReportSchema = z.object({
  jobId: z.string(),
  status: jobStatusSchema,
  result: agentJobResultSchema.optional(),
  failure: failureSchema.optional(),
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
  Overview: overviewSchema,
  Problem: problemSchema,
};
