import {
  acquireLeaseSchema,
  podSessionInputSchema,
  type AcquiredLease,
  type AcquireLease,
  type PodSessionInput,
} from '../../../src/contract/index.js';
import type { Outgoing, SessionStop, StopKind } from '../../../src/workflows/pod-session/session-data.js';
import { SessionState } from '../../../src/workflows/pod-session/session-state.js';

/** Moments of these tests are milliseconds after this one. */
export const START_MS = Date.parse('2026-06-01T12:00:00.000Z');
export const seconds = (count: number): number => START_MS + count * 1000;
export const FIRST_RUN = '0197a2b4-0000-7000-8000-00000000c0de';
export const PRICE_USD = 0.72;

export const request = (leaseId: string, change: Partial<AcquireLease> = {}): AcquiredLease =>
  acquireLeaseSchema.parse({ leaseId, holder: { kind: 'workflow', workflowId: `holder-of-${leaseId}` }, ...change });

export const externalRequest = (leaseId: string, change: Partial<AcquireLease> = {}): AcquiredLease =>
  request(leaseId, { holder: { kind: 'external' }, ...change });

export function newSession(input: Partial<PodSessionInput> = {}): SessionState {
  const spec = podSessionInputSchema.parse({ session: 's', startedBy: 'anna', ...input });
  return SessionState.start(spec, FIRST_RUN, START_MS);
}

/** The pod is rented at second 2, by a plan whose hard deadline is the lifetime. */
export function bootingSession(input: Partial<PodSessionInput> = {}): SessionState {
  const state = newSession(input);
  const { maxLifetimeSeconds } = state.data.spec;
  state.data.plan = {
    owner: 'anna-0123abcd',
    api: 'ollama',
    model: 'm',
    candidates: [{ gpu: 'NVIDIA GeForce RTX 4090', costPerHourUsd: PRICE_USD }],
    hardDeadlineMs: seconds(maxLifetimeSeconds),
  };
  const createdAtMs = seconds(2);
  const pod = { id: 'pod-1', name: 'devloop.x', gpu: 'NVIDIA GeForce RTX 4090', costPerHourUsd: PRICE_USD };
  state.podCreated({ ...pod, createdAt: new Date(createdAtMs).toISOString(), createdAtMs }, createdAtMs);
  return state;
}

/** Serves from second 10 on. */
export function readySession(input: Partial<PodSessionInput> = {}): SessionState {
  const state = bootingSession({ maxCostUsd: 1000, ...input });
  state.podReady('http://endpoint', seconds(10));
  return state;
}

export const stopOf = (kind: StopKind, atMs: number, code?: string): SessionStop => ({
  kind,
  reason: `because ${kind}`,
  atMs,
  code,
});

export const held = (state: SessionState): string[] => state.data.leases.map(({ leaseId }) => leaseId);
export const queued = (state: SessionState): string[] => state.data.queue.map(({ leaseId }) => leaseId);

/** What is to be sent, as `grant a` or `revoke b`, and taken from the state. */
export const sent = (state: SessionState): string[] => state.takeOutbox().map(nameOf);

export function nameOf(out: Outgoing): string {
  return `${out.kind} ${out.kind === 'grant' ? out.grant.leaseId : out.revoke.leaseId}`;
}
