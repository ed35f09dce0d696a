/**
 * A pod's name carries what is needed to find, adopt and end it with RunPod's list alone:
 * `devloop.<owner>.<session>.<first run id>.<attempt>.<hard deadline, epoch seconds>`.
 * RunPod REST v2 gives a pod no other tag than its name and its environment.
 */
export interface PodNameParts {
  /** One control plane: `[a-z0-9-]`, no dot. */
  readonly owner: string;
  readonly session: string;
  /** First run id of the session's workflow; survives continue-as-new and reset. */
  readonly firstRunId: string;
  /** From 1; rises only after the name before it was swept. */
  readonly attempt: number;
  /** Epoch seconds after which any killer may end the pod. */
  readonly hardDeadlineSeconds: number;
}

/** The session behind a pod, as Temporal describes it. `unknown`: any trouble but "not found". */
export type SessionLook =
  { readonly state: 'running'; readonly podId?: string | undefined } | { readonly state: 'gone' | 'unknown' };

const PREFIX = 'devloop';
const FIELDS = 6;

export function podName(parts: PodNameParts): string {
  return [
    PREFIX,
    parts.owner,
    parts.session,
    parts.firstRunId,
    String(parts.attempt),
    String(parts.hardDeadlineSeconds),
  ].join('.');
}

/** The part of the name that all pods of one session's first run share, whatever attempt and deadline. Ends with a dot. */
export function podNamePrefix(parts: Pick<PodNameParts, 'owner' | 'session' | 'firstRunId'>): string {
  return `${[PREFIX, parts.owner, parts.session, parts.firstRunId].join('.')}.`;
}

/** Undefined for any name that Devloop did not make: such a pod is a stranger and is never touched. */
export function parsePodName(name: string): PodNameParts | undefined {
  const fields = name.split('.');
  const [prefix, owner, session, firstRunId, attempt, deadline] = fields;
  if (fields.length !== FIELDS || prefix !== PREFIX || !owner || !session || !firstRunId) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(attempt ?? '') || !/^[1-9]\d{0,11}$/.test(deadline ?? '')) return undefined;
  return { owner, session, firstRunId, attempt: Number(attempt), hardDeadlineSeconds: Number(deadline) };
}

/** Made by a Devloop of whatever owner and version, as far as a name can tell. */
export function hasDevloopName(name: string): boolean {
  return name.startsWith(`${PREFIX}.`);
}

/** Same pod request whatever the deadline says: what adoption compares. */
export function isSameAttempt(a: PodNameParts, b: PodNameParts): boolean {
  return a.owner === b.owner && a.session === b.session && a.firstRunId === b.firstRunId && a.attempt === b.attempt;
}
