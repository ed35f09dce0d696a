import type { AcquiredLease, ErrorCode, Grant, LeaseHolder } from '../../contract/index.js';
import { iso } from './clock-text.js';
import type { Outgoing, SessionData, SessionLease, SessionStop } from './session-data.js';

/** What the holder of a lease needs to use the pod; undefined while there is none to use. */
export function grantOf({ pod, plan, spec }: SessionData, { leaseId, expiresAtMs }: SessionLease): Grant | undefined {
  if (!pod?.endpoint || !plan) return undefined;
  const { id: podId, name: podName, endpoint, costPerHourUsd } = pod;
  const { api, model } = plan;
  const { idleTimeoutSeconds } = spec;
  const expiresAt = iso(expiresAtMs);
  return { leaseId, podId, podName, endpoint, api, model, costPerHourUsd, idleTimeoutSeconds, expiresAt };
}

export function postGrant(data: SessionData, lease: SessionLease): void {
  const grant = grantOf(data, lease);
  const workflowId = signalTarget(lease.holder);
  if (grant && workflowId !== undefined) post(data, { kind: 'grant', workflowId, grant });
}

export function postRevoke(data: SessionData, { leaseId, holder }: AcquiredLease, reason: string): void {
  const workflowId = signalTarget(holder);
  if (workflowId === undefined) return;
  const { stop } = data;
  const final = stop !== undefined && isFinalStop(stop);
  const code = final ? (stop.code ?? 'LEASE_REVOKED') : undefined;
  post(data, { kind: 'revoke', workflowId, revoke: { leaseId, reason, final, code } });
}

/** Asking again would be refused again. */
export function postRefusal(
  data: SessionData,
  { leaseId, holder }: AcquiredLease,
  reason: string,
  code: ErrorCode,
): void {
  const workflowId = signalTarget(holder);
  if (workflowId !== undefined)
    post(data, { kind: 'revoke', workflowId, revoke: { leaseId, reason, final: true, code } });
}

/** Nothing is told any more to who has given his lease back. */
export function unpost(data: SessionData, leaseId: string): void {
  data.outbox = data.outbox.filter((out) => outgoingLeaseId(out) !== leaseId);
}

/** Only the newest word to a holder counts: what repeats itself while nobody delivers must not grow. */
function post(data: SessionData, out: Outgoing): void {
  unpost(data, outgoingLeaseId(out));
  data.outbox.push(out);
}

/** After these a job that waits must fail; after the others it may ask for the next session. */
export function isFinalStop(stop: SessionStop): boolean {
  return stop.kind === 'asked' || stop.kind === 'cancelled' || stop.kind === 'failed' || stop.kind === 'budget';
}

/** External holders take no signals: they ask. */
function signalTarget(holder: LeaseHolder): string | undefined {
  return holder.kind === 'workflow' ? holder.workflowId : undefined;
}

function outgoingLeaseId(out: Outgoing): string {
  return out.kind === 'grant' ? out.grant.leaseId : out.revoke.leaseId;
}
