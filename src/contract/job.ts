import * as z from 'zod';
import { chatMessageSchema, usageSchema } from './chat.js';
import { jsonBytes } from './parse.js';
import { runnerSchema } from './runner.js';
import { jobSessionOptionsSchema, sessionNameSchema } from './session.js';

/** Job input and output beyond this fail with a named error: transcripts do not belong into a workflow's history. */
export const MAX_JOB_BYTES = 256 * 1024;

/** A schema is compiled by the worker and made into a grammar by the model server. */
const MAX_SCHEMA_BYTES = 16 * 1024;

/** JSON Schema 2020-12 of the answer. */
export const outputSchemaSchema = z
  .record(z.string(), z.unknown())
  .refine((schema) => jsonBytes(schema) <= MAX_SCHEMA_BYTES, `must be at most ${MAX_SCHEMA_BYTES} bytes`);
export type OutputSchema = z.output<typeof outputSchemaSchema>;

/** What a job's agent may use on one pod, repeated attempts included. */
export const agentLimitsSchema = z.object({
  modelCalls: z.int().min(1).max(200).optional(),
  /** Of input and output together, over all model calls. */
  tokens: z.int().min(1).max(10_000_000).optional(),
  seconds: z.number().min(1).max(86_400).optional(),
});
export type AgentLimits = z.output<typeof agentLimitsSchema>;

const jobFieldsSchema = z.object({
  session: sessionNameSchema.default('default'),
  /** A name in the worker's registry of agents. */
  agent: z.string().min(1).max(100).default('chat'),
  input: z.union([z.string().min(1), z.array(chatMessageSchema).min(1)]),
  /** Must be served by the session's pod; the session's own model when absent. */
  model: z.string().min(1).max(200).optional(),
  project: z.string().max(100).optional(),
  /** From submission to answer, waiting for the pod included. */
  timeoutSeconds: z.number().min(5).max(86_400).default(1800),
  /** Used when this job starts the session. */
  sessionOptions: jobSessionOptionsSchema.optional(),
  /** For agents whose answer is JSON, such as `structured`. */
  outputSchema: outputSchemaSchema.optional(),
  limits: agentLimitsSchema.optional(),
  /** Works in place of an agent. */
  runner: runnerSchema.optional(),
});

/** Fields that say something to an agent: a runner is told none of them, and a job with a runner has none. */
export const AGENT_FIELDS = ['model', 'outputSchema', 'limits'] as const;

export const agentJobInputSchema = jobFieldsSchema.superRefine((job, context) => {
  if (!job.runner) return;
  const isOther = job.agent !== jobFieldsSchema.shape.agent.parse(undefined);
  const superfluous = [...(isOther ? ['agent'] : []), ...AGENT_FIELDS.filter((field) => job[field] !== undefined)];
  for (const field of superfluous) {
    context.addIssue({ code: 'custom', path: [field], message: 'is for agents: leave it out when there is a runner' });
  }
});
export type AgentJobInput = z.input<typeof agentJobInputSchema>;
export type AgentJobSpec = z.output<typeof agentJobInputSchema>;

export const jobIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be 1 to 100 characters of A-Z, a-z, 0-9, dot, _ and -');

export const agentJobResultSchema = z.object({
  output: z.string(),
  messages: z.array(chatMessageSchema),
  usage: usageSchema,
  podId: z.string(),
  /** From submission to the start of the run that answered. */
  waitSeconds: z.number(),
  runSeconds: z.number(),
  /** The run's seconds at the pod's price. */
  costUsd: z.number(),
});
export type AgentJobResult = z.output<typeof agentJobResultSchema>;

export const JOB_PHASES = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobPhase = (typeof JOB_PHASES)[number];

export function hasEnded(phase: JobPhase): boolean {
  return phase !== 'waiting' && phase !== 'running';
}

/** Answer of the job's `status` query. */
export const jobStatusSchema = z.object({
  session: z.string(),
  agent: z.string(),
  project: z.string().optional(),
  phase: z.enum(JOB_PHASES),
  podId: z.string().optional(),
  waitSeconds: z.number(),
  runSeconds: z.number(),
  /** One sentence for people. */
  why: z.string(),
});
export type JobStatus = z.output<typeof jobStatusSchema>;
