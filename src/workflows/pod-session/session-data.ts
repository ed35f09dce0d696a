import type { SessionPlan } from '../../activities/types.js';
import type {
  AcquiredLease,
  Grant,
  LeaseRevoked,
  PodSessionSpec,
  PodSummary,
  SessionPhase,
} from '../../contract/index.js';

export interface SessionPod extends PodSummary {
  readonly createdAtMs: number;
  /** Why earlier choices of GPU were not taken. */
  readonly passedOver?: readonly string[] | undefined;
  /** A create call before the one that made it may have made another. */
  readonly mayHaveMore?: boolean | undefined;
  endpoint?: string;
  readyAtMs?: number;
  endedAtMs?: number;
  /** Time with a lease on it, up to `busySinceMs` where there is one now. */
  busyMs?: number;
  busySinceMs?: number;
}

/** A pod that was given up and is being ended beside whatever else goes on. One attempt's name may cover several pods. */
export interface CondemnedPod {
  readonly attempt: number;
  /** Absent: a create call may have made one, whose id nobody knows. */
  readonly podId?: string | undefined;
  readonly name: string;
  /** There may be more of this name than `podId`. */
  readonly mayHaveMore?: boolean | undefined;
  readonly sinceMs: number;
  /** Why it was given up, or what keeps RunPod from ending it. */
  lastError: string;
  /** It has taken so long that somebody should look. */
  stuck?: boolean;
}

export interface SessionLease extends AcquiredLease {
  readonly grantedAtMs: number;
  expiresAtMs: number;
  lastUsedAtMs: number;
}

export interface EndedLease {
  readonly leaseId: string;
  readonly project?: string | undefined;
  readonly label?: string | undefined;
  readonly grantedAtMs: number;
  readonly endedAtMs: number;
  readonly end: 'released' | 'holder-gone' | 'revoked';
}

/** What is kept of leases that the record no longer names. */
export interface EarlierLeases {
  readonly project?: string | undefined;
  leases: number;
  ms: number;
}

/** Why a session ends. `asked`, `cancelled` and `failed` are final for jobs; after the others a job may ask again. */
export type StopKind = 'idle' | 'asked' | 'lifetime' | 'budget' | 'cancelled' | 'lost' | 'failed' | 'nobody-left';

export interface SessionStop {
  readonly kind: StopKind;
  readonly reason: string;
  readonly atMs: number;
  /** The contract's error code when the session failed. */
  readonly code?: string | undefined;
}

/** A message to a workflow holder that the session still has to send. */
export type Outgoing =
  | { readonly kind: 'grant'; readonly workflowId: string; readonly grant: Grant }
  | { readonly kind: 'revoke'; readonly workflowId: string; readonly revoke: LeaseRevoked };

/**
 * The session's whole memory as plain JSON: it travels through continue-as-new, so it is a wire format.
 * New members must be optional; the version rises when an old reader would go wrong.
 */
export interface SessionData {
  readonly version: 1;
  readonly spec: PodSessionSpec;
  readonly firstRunId: string;
  readonly startedAtMs: number;
  plan?: SessionPlan;
  phase: SessionPhase;
  readonly phaseLog: { phase: SessionPhase; atMs: number }[];
  attempt: number;
  pod?: SessionPod;
  /** Pods before `pod`, ended or condemned. */
  pastPods?: SessionPod[];
  condemned?: CondemnedPod[];
  /** When pods in service were lost, newest last. */
  lossesMs?: number[];
  /** Why the pod before the present attempt was given up. */
  givenUpWhy?: string;
  /** Boots that failed in a row. */
  failedBoots?: number;
  leases: SessionLease[];
  queue: AcquiredLease[];
  outbox: Outgoing[];
  readyAtMs?: number;
  lastUse?: { atMs: number; by: string };
  endedLeases: EndedLease[];
  /** Those before `endedLeases`. */
  earlierLeases?: EarlierLeases[];
  jobsServed: number;
  /** Problems reported by holders that nobody has looked into yet. */
  suspicion?: { podId: string; problem: string };
  stop?: SessionStop;
  unsettled: string[];
  /** A create call may have been made, so the end has to sweep. */
  mayHavePod?: boolean;
}
