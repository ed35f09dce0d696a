import * as z from 'zod';
import { sessionWantsSchema } from './session-wants.js';
import { isWellFormed, utf8Bytes, wellFormed } from './text.js';

export const WORKFLOW_LEASE_TTL_SECONDS = 300;
export const EXTERNAL_LEASE_TTL_SECONDS = 120;
const MAX_LEASE_TTL_SECONDS = 600;
export const MAX_LABEL_CHARACTERS = 200;
export const MAX_PROBLEM_CHARACTERS = 1000;

/** Temporal's own limit for ids: a signal to a longer one fails the sender's workflow task for ever. */
const MAX_ID_BYTES = 1000;
const identifier = z
  .string()
  .min(1)
  .max(400)
  .refine(
    (id) => isWellFormed(id) && utf8Bytes(id) <= MAX_ID_BYTES,
    `must be whole characters, at most ${MAX_ID_BYTES} bytes`,
  );
const isoTime = z.iso.datetime({ offset: true });

/** Who holds a lease. A workflow is asked for by Temporal when its lease is due; an external holder must renew. */
export const leaseHolderSchema = z
  .object({
    kind: z.enum(['workflow', 'external']),
    workflowId: identifier.optional(),
    /** With it a workflow id that was used again is not mistaken for the holder. */
    firstRunId: identifier.optional(),
  })
  .refine((holder) => holder.kind === 'external' || holder.workflowId !== undefined, {
    path: ['workflowId'],
    message: 'is required for a holder of kind workflow',
  });
export type LeaseHolder = z.output<typeof leaseHolderSchema>;

export const acquireLeaseSchema = z.object({
  leaseId: identifier,
  holder: leaseHolderSchema,
  ttlSeconds: z.number().min(5).max(MAX_LEASE_TTL_SECONDS).optional(),
  project: z.string().max(100).optional(),
  label: z.string().max(MAX_LABEL_CHARACTERS).optional(),
  /** Refused for good when the session is another one. */
  wants: sessionWantsSchema.optional(),
  /** Counts as in use even when unused. */
  hold: z.boolean().default(false),
});
export type AcquireLease = z.input<typeof acquireLeaseSchema>;
export type AcquiredLease = z.output<typeof acquireLeaseSchema>;

export const renewLeaseSchema = z.object({ leaseId: identifier, lastUsedAt: isoTime.optional() });
export const releaseLeaseSchema = z.object({ leaseId: identifier });
export const reportPodSchema = z.object({ podId: identifier, problem: z.string().max(MAX_PROBLEM_CHARACTERS) });

const plainStop = { reason: 'asked to stop' };
/** Obeyed whatever is wrong with its reason: a session that missed a stop would go on costing money. */
export const stopSchema = z
  .object({
    reason: z
      .string()
      .transform((reason) => wellFormed(reason.slice(0, 500)))
      .default(plainStop.reason),
  })
  .catch(plainStop);

export type RenewLease = z.input<typeof renewLeaseSchema>;
export type ReleaseLease = z.input<typeof releaseLeaseSchema>;
export type ReportPod = z.input<typeof reportPodSchema>;
export type StopRequest = z.input<typeof stopSchema>;

/** What a holder needs to use the pod. The gate's token is derived from `podName`, never sent. */
export const grantSchema = z.object({
  leaseId: identifier,
  podId: z.string(),
  podName: z.string(),
  endpoint: z.string(),
  api: z.enum(['ollama', 'openai']),
  model: z.string(),
  expiresAt: isoTime,
  /** US dollars an hour of the whole pod. */
  costPerHourUsd: z.number().optional(),
  /** So long after the last use that it heard of the session ends the pod. */
  idleTimeoutSeconds: z.number().optional(),
});
export type Grant = z.output<typeof grantSchema>;

/** Answer of the update `requestLease`. A holder that is queued asks again with the same `leaseId` every 5 s. */
export const leaseAnswerSchema = z.object({
  state: z.enum(['granted', 'queued']),
  /** From 1. */
  position: z.int().optional(),
  grant: grantSchema.optional(),
});
export type LeaseAnswer = z.output<typeof leaseAnswerSchema>;

export const leaseRevokedSchema = z.object({
  leaseId: identifier,
  reason: z.string().transform(wellFormed),
  /** False: asking again may succeed. True: the job must fail. */
  final: z.boolean(),
  /** The contract's error code behind a final revoke. */
  code: z.string().optional(),
});
export type LeaseRevoked = z.output<typeof leaseRevokedSchema>;
