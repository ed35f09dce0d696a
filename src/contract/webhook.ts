import type { SessionRecord } from './session.js';

/** Header of every delivery: `sha256=` and the hex HMAC-SHA256 of the body's bytes under `DEVLOOP_WEBHOOK_SECRET`. */
export const SIGNATURE_HEADER = 'X-Devloop-Signature';

/** A pod that somebody should look at. */
export interface PodNews {
  /** Absent: a create call may have made one whose id nobody knows. */
  readonly id?: string | undefined;
  readonly name: string;
  readonly session?: string | undefined;
  readonly why: string;
}

/**
 * What is sent to `DEVLOOP_WEBHOOK_URL`, at least once each; `id` is the same for every delivery of one event.
 *
 * - `session.stopped`: no pod of it is left; the record has what it cost.
 * - `pod.stuck`: RunPod has not ended it for two minutes. It is tried for ever.
 * - `pod.orphan`: the reaper ended a pod that no session looked after any more.
 */
export type WebhookEvent = { readonly id: string; /** ISO 8601 UTC. */ readonly at: string } & (
  | { readonly event: 'session.stopped'; readonly record: SessionRecord }
  | { readonly event: 'pod.stuck' | 'pod.orphan'; readonly pod: PodNews }
);
