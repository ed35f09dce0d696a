import * as z from 'zod';
import { leaseHolderSchema } from './lease.js';
import { sessionWantsSchema } from './session-wants.js';

/** What a pod serves: Ollama's API on port 11434, or OpenAI's on port 8000. */
export const API_KINDS = ['ollama', 'openai'] as const;
export type ApiKind = (typeof API_KINDS)[number];

export const GATE_PORTS: Readonly<Record<ApiKind, number>> = { ollama: 11434, openai: 8000 };

export const DEFAULT_MODEL = 'mistral:7b-instruct-q5_K_M';
export const DEFAULT_IMAGE = 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404';
export const DEFAULT_GPU = 'NVIDIA GeForce RTX 4090';

export const sessionNameSchema = z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 characters of a-z, 0-9 and -');

const seconds = (min: number, max: number): z.ZodNumber => z.number().min(min).max(max);
const identifier = z.string().min(1).max(200);

/** Everything about a session but its name and who asked. Durations in seconds, money in US dollars. */
export const sessionOptionsSchema = z.object({
  /** RunPod GPU ids in order of preference. */
  gpus: z.array(identifier).min(1).max(10).default([DEFAULT_GPU]),
  gpuCount: z.int().min(1).max(8).default(1),
  cloud: z.enum(['SECURE', 'COMMUNITY']).default('SECURE'),
  image: identifier.optional(),
  /** A RunPod template instead of an image. */
  templateId: identifier.optional(),
  dataCenterIds: z.array(identifier).max(50).default([]),
  networkVolumeId: identifier.optional(),
  diskGb: z.int().min(5).max(4096).default(40),
  /** Without one, the worker's default applies: `DEFAULT_MODEL`, or the small model of the embedded stack. */
  model: identifier.optional(),
  /** Without one, the worker's default applies: `ollama`. */
  api: z.enum(API_KINDS).optional(),
  idleTimeoutSeconds: seconds(5, 86_400).default(480),
  readyTimeoutSeconds: seconds(10, 3600).default(600),
  drainSeconds: seconds(0, 3600).default(60),
  maxLifetimeSeconds: seconds(60, 604_800).default(28_800),
  maxPriceUsdPerHour: z.number().positive().max(1000).default(1),
  maxCostUsd: z.number().positive().max(100_000).default(5),
  maxConcurrentLeases: z.int().min(1).max(64).default(2),
  guard: z.enum(['deadman', 'none']).default('deadman'),
});

const startedBy = z.string().max(200).default('unknown');

const isOneImage = (options: { image?: string | undefined; templateId?: string | undefined }): boolean =>
  options.image === undefined || options.templateId === undefined;
const oneImage = { path: ['templateId'], message: 'give either image or templateId, not both' };

export const podSessionInputSchema = sessionOptionsSchema
  .extend({ session: sessionNameSchema, project: z.string().max(100).optional(), startedBy })
  .refine(isOneImage, oneImage);

/** The options that a job brings for the session that it may have to start: what that session would refuse is refused here. */
export const jobSessionOptionsSchema = sessionOptionsSchema.partial().refine(isOneImage, oneImage);

/** What a sender writes: all but `session` optional. */
export type PodSessionInput = z.input<typeof podSessionInputSchema>;
/** The same with defaults filled in. */
export type PodSessionSpec = z.output<typeof podSessionInputSchema>;
export type SessionOptions = z.input<typeof sessionOptionsSchema>;

export const SESSION_PHASES = ['creating', 'booting', 'ready', 'draining', 'stopping', 'stuck', 'stopped'] as const;
export type SessionPhase = (typeof SESSION_PHASES)[number];

/** The session takes leases into its queue. */
export function isAccepting(phase: SessionPhase): boolean {
  return phase === 'creating' || phase === 'booting' || phase === 'ready';
}

const isoTime = z.iso.datetime();

const podSummarySchema = z.object({
  id: z.string(),
  name: z.string(),
  gpu: z.string(),
  costPerHourUsd: z.number(),
  createdAt: isoTime,
});
export type PodSummary = z.output<typeof podSummarySchema>;

const leaseStatusSchema = z.object({
  leaseId: z.string(),
  holder: leaseHolderSchema,
  project: z.string().optional(),
  label: z.string().optional(),
  grantedAt: isoTime,
  expiresAt: isoTime,
  lastUsedAt: isoTime,
  hold: z.boolean(),
});
export type LeaseStatus = z.output<typeof leaseStatusSchema>;

/** Answer of the session's `status` query. */
export const sessionStatusSchema = z.object({
  session: z.string(),
  phase: z.enum(SESSION_PHASES),
  pod: podSummarySchema.optional(),
  /** Pods that were given up and are not yet seen gone. */
  condemned: z.array(z.object({ id: z.string(), name: z.string(), since: isoTime, lastError: z.string() })),
  endpoint: z.string().optional(),
  /** Seconds since the pod was created. */
  uptimeSeconds: z.number(),
  costUsd: z.number(),
  leases: z.array(leaseStatusSchema),
  queued: z.int(),
  /** When the session ends if nobody uses it again; absent while somebody does. */
  idleDeadline: isoTime.optional(),
  hardDeadline: isoTime,
  /** One sentence for people: what goes on and when it ends. */
  why: z.string(),
  stopReason: z.string().optional(),
  jobsServed: z.int(),
  /** What it was rented as, for those who join it. */
  spec: sessionWantsSchema.optional(),
});
export type SessionStatus = z.output<typeof sessionStatusSchema>;

/**
 * Result of the session's workflow, also in its memo. As the answer of the query `record` of a session that has not ended it
 * is the record so far: `endedAt` is the moment asked for, living pods end then, leases that are held have the end `held`.
 */
export const sessionRecordSchema = z.object({
  session: z.string(),
  /** Of the session's workflow: no two sessions have the same. */
  firstRunId: z.string().optional(),
  project: z.string().optional(),
  startedBy: z.string(),
  startedAt: isoTime,
  endedAt: isoTime,
  phases: z.array(z.object({ phase: z.enum(SESSION_PHASES), seconds: z.number() })),
  pods: z.array(
    podSummarySchema.extend({
      /** Absent: it never served. */
      readyAt: isoTime.optional(),
      endedAt: isoTime,
      /** Seconds in which somebody held a lease on it. */
      busySeconds: z.number().optional(),
      costUsd: z.number(),
    }),
  ),
  costUsd: z.number(),
  /** The newest 50; `jobsServed` counts them all. */
  leases: z.array(
    z.object({
      leaseId: z.string(),
      project: z.string().optional(),
      label: z.string().optional(),
      grantedAt: isoTime,
      seconds: z.number(),
      end: z.enum(['released', 'holder-gone', 'revoked', 'held']),
    }),
  ),
  /** Those before them, by project. */
  earlierLeases: z.array(z.object({ project: z.string().optional(), leases: z.int(), seconds: z.number() })).optional(),
  jobsServed: z.int(),
  stopReason: z.string(),
  /** What could not be settled before the end; empty is good. */
  unsettled: z.array(z.string()),
});
export type SessionRecord = z.output<typeof sessionRecordSchema>;
