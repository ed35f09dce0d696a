import * as z from 'zod';
import { sessionOptionsSchema } from '../../contract/index.js';
import { failureSchema, listedJobSchema, sessionListSchema } from '../listed-schemas.js';

const isoTime = z.iso.datetime();

/** A job with what its workflow tells; fields are missing where it does not, or not yet. */
export const jobOverviewSchema = listedJobSchema.extend({
  workflowId: z.string(),
  agent: z.string().optional(),
  waitSeconds: z.number().optional(),
  runSeconds: z.number().optional(),
  /** Of the answer, by the seconds of the whole run. */
  tokensPerSecond: z.number().optional(),
  /** The run's seconds at the pod's price. */
  costUsd: z.number().optional(),
  failure: failureSchema.optional(),
});
export type JobOverview = z.output<typeof jobOverviewSchema>;

export const ALARM_KINDS = [
  'orphan',
  'surplus',
  'left',
  'unknown',
  'overdue',
  'exited',
  'strangers',
  'unarmed',
  'stuck',
  'condemned',
  'problem',
] as const;

/** Something that costs, or may cost, money for nobody. */
export const alarmSchema = z.object({
  kind: z.enum(ALARM_KINDS),
  /** One sentence for people. */
  text: z.string(),
  /** US dollars a day while it lasts; absent: not known. */
  costPerDayUsd: z.number().optional(),
  session: z.string().optional(),
});
export type Alarm = z.output<typeof alarmSchema>;

/** `unknown` is neither: what was known before may no longer be so. */
export const leaksSchema = z.object({
  state: z.enum(['none', 'found', 'unknown']),
  summary: z.string(),
  /** When the reaper last read RunPod's whole list. */
  knownAt: isoTime.optional(),
  alarms: z.array(alarmSchema),
});
export type Leaks = z.output<typeof leaksSchema>;

export const KILLERS = ['timer', 'reaper', 'switch', 'cron'] as const;

export const killerSchema = z.object({
  killer: z.enum(KILLERS),
  state: z.enum(['alive', 'dead', 'unknown']),
  text: z.string(),
});
export type Killer = z.output<typeof killerSchema>;

export const overviewSchema = sessionListSchema.extend({
  /** By this server's clock. */
  at: isoTime,
  workerPolls: z.boolean(),
  /** The newest ten. */
  jobs: z.array(jobOverviewSchema),
  leaks: leaksSchema,
  killers: z.array(killerSchema),
  /** Temporal's Web UI, where its address is known. */
  webUi: z.object({ url: z.string(), namespace: z.string() }).optional(),
  /** What a session gets that says nothing but its name. */
  defaults: sessionOptionsSchema,
});
export type Overview = z.output<typeof overviewSchema>;
