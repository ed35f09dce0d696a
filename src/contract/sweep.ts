import * as z from 'zod';

const isoTime = z.iso.datetime();

/** A pod as a sweep of the reaper judged it. */
export const seenPodSchema = z.object({
  podId: z.string(),
  podName: z.string(),
  /** Absent: not a pod of Devloop's. */
  session: z.string().optional(),
  status: z.string(),
  /** RunPod says 0 for EXITED although its disk still costs. */
  costPerHourUsd: z.number().optional(),
  /** US dollars a day as it stands: the price, or of a stopped pod its volume's. Absent: RunPod did not tell. */
  costPerDayUsd: z.number().optional(),
  /** `orphan`, `surplus`, `overdue`, `never-ready`, `unused`, `unknown`, `kept`, `foreign` or `stranger`. */
  verdict: z.string(),
  why: z.string(),
});
export type SeenPod = z.output<typeof seenPodSchema>;

/** The dead-man's switch of a running pod of ours; `unknown`: its gate did not tell. */
export const SWITCH_STATES = ['armed', 'starting', 'unarmed', 'absent', 'unknown'] as const;
export type SwitchState = (typeof SWITCH_STATES)[number];

export const seenSwitchSchema = z.object({
  podId: z.string(),
  session: z.string(),
  state: z.enum(SWITCH_STATES),
  problem: z.string().optional(),
});
export type SeenSwitch = z.output<typeof seenSwitchSchema>;

/** Result of a PodReaper workflow. What is optional is missing in reports of older workers. */
export const sweepReportSchema = z.object({
  at: isoTime,
  /** Living pods in the account's list. */
  pods: z.int(),
  /** Orphan or surplus for the first time: they end when a second look shows the same. */
  suspects: z.array(seenPodSchema),
  /** Asked to end, and seen gone. */
  ended: z.array(seenPodSchema),
  /** Paid for by somebody, not this reaper's to end. */
  reported: z.array(seenPodSchema),
  problems: z.array(z.string()),
  /** The operator has a webhook. */
  webhook: z.boolean(),
  /** Ours, due to end, and still listed after several DELETEs. */
  left: z.array(seenPodSchema).optional(),
  /** Pods that Devloop did not make. */
  strangers: z.object({ count: z.int(), costPerDayUsd: z.number() }).optional(),
  /** Stopped and not terminated, whoever owns them. */
  exited: z.array(seenPodSchema).optional(),
  /** Of every running pod of ours. */
  switches: z.array(seenSwitchSchema).optional(),
});
export type SweepReport = z.output<typeof sweepReportSchema>;
