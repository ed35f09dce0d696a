import * as z from 'zod';
import { hasEnded, jobIdSchema, MAX_JOB_BYTES } from '../../contract/index.js';
import { operation, TEMPORAL_CODES, type Operation } from '../operation.js';
import { jobListSchema, jobReportSchema, jobSubmissionSchema, submittedJobSchema } from '../schemas.js';
import type { TemporalLink } from '../temporal-link.js';
import { wishIsKept } from './wishes.js';

/** The largest input that a job may have, and room for what stands around it. */
const BODY_LIMIT_BYTES = MAX_JOB_BYTES + 64 * 1024;
const MAX_LISTED = 100;

const params = z.object({ jobId: jobIdSchema });
const limit = z
  .string()
  .regex(/^\d{1,4}$/, 'must be a whole number')
  .transform(Number)
  .pipe(z.int().min(1).max(MAX_LISTED))
  .default(10);

export function jobOperations(temporal: TemporalLink): Operation[] {
  return [
    operation({
      method: 'POST',
      path: '/jobs',
      id: 'submitJob',
      summary: 'Submits a job. Sent again with the same jobId it is the same job.',
      body: jobSubmissionSchema,
      bodyLimitBytes: BODY_LIMIT_BYTES,
      answers: { 202: { description: 'Temporal has the job.', schema: submittedJobSchema } },
      codes: TEMPORAL_CODES,
      run: async ({ body: { jobId, ...job }, signal }) => {
        const client = await temporal.withWorker(signal);
        const options = { ...(jobId !== undefined && { jobId }), signal };
        const submitted = await client.submitJob(job, options);
        const { workflowId } = submitted.handle;
        return { status: 202, body: { jobId: submitted.jobId, workflowId, joined: submitted.joined } };
      },
    }),
    operation({
      method: 'GET',
      path: '/jobs',
      id: 'listJobs',
      summary: 'The newest jobs first, ended ones included. The listing lags by up to a second.',
      query: z.object({ limit }),
      answers: { 200: { description: 'The jobs.', schema: jobListSchema } },
      codes: TEMPORAL_CODES,
      run: async ({ query, signal }) => {
        const client = await temporal.get(signal);
        return { status: 200, body: { jobs: await client.listJobs(query.limit, signal) } };
      },
    }),
    operation({
      method: 'GET',
      path: '/jobs/{jobId}',
      id: 'getJob',
      summary: 'How a job stands; once it has ended, its result or the code of its failure.',
      params,
      answers: { 200: { description: 'The job.', schema: jobReportSchema } },
      codes: ['JOB_NOT_FOUND', ...TEMPORAL_CODES],
      run: async ({ params: { jobId }, signal }) => {
        const client = await temporal.get(signal);
        return { status: 200, body: await client.job(jobId).report(signal) };
      },
    }),
    operation({
      method: 'POST',
      path: '/jobs/{jobId}/cancel',
      id: 'cancelJob',
      summary: 'Asks a job to end. It gives its lease back first.',
      params,
      answers: {
        200: { description: 'It has ended.', schema: jobReportSchema },
        202: { description: 'It was asked.', schema: jobReportSchema },
      },
      codes: ['JOB_NOT_FOUND', ...TEMPORAL_CODES],
      run: async ({ params: { jobId }, signal }) => {
        const job = (await temporal.get(signal)).job(jobId);
        const asked = await job.cancel(signal);
        const body = await wishIsKept(asked, () => job.report(signal));
        return { status: hasEnded(body.status.phase) ? 200 : 202, body };
      },
    }),
  ];
}
