import * as z from 'zod';
import { jobSessionOptionsSchema, sessionNameSchema } from './session.js';

/** Job input and output beyond this fail with a named error: transcripts do not belong into a workflow's history. */
export const MAX_JOB_BYTES = 256 * 1024;

export const chatMessageSchema = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
});
export type ChatMessage = z.output<typeof chatMessageSchema>;

export const agentJobInputSchema = z.object({
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
  runner: z.undefined({ error: 'runners are not switched on in this version; use agent' }).optional(),
});
export type AgentJobInput = z.input<typeof agentJobInputSchema>;
export type AgentJobSpec = z.output<typeof agentJobInputSchema>;

export const jobIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be 1 to 100 characters of A-Z, a-z, 0-9, dot, _ and -');

export const usageSchema = z.object({ inputTokens: z.int(), outputTokens: z.int() });
export type Usage = z.output<typeof usageSchema>;

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
