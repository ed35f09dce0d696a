import type { SessionFacts } from '../../../src/cost/session-facts.js';

export const at = (text: string): string => new Date(`2026-06-${text}Z`).toISOString();

export function podOf(change: Partial<SessionFacts['pods'][number]> = {}): SessionFacts['pods'][number] {
  return {
    id: 'pod-1',
    gpu: 'RTX 4090',
    costPerHourUsd: 0.72,
    createdAt: at('01T12:00:00'),
    readyAt: at('01T12:10:00'),
    endedAt: at('01T13:00:00'),
    busySeconds: 1800,
    ...change,
  };
}

let runs = 0;

/** One hour of one pod at $0.72: ten minutes of boot, thirty of use. */
export function sessionOf(change: Partial<SessionFacts> = {}): SessionFacts {
  return {
    runId: `run-${++runs}`,
    session: 'train',
    project: 'lab',
    state: 'ended',
    startedAt: at('01T12:00:00'),
    endedAt: at('01T13:00:00'),
    phases: [],
    pods: [podOf()],
    leases: [],
    earlierLeases: [],
    ...change,
  };
}

export function leaseOf(project: string | undefined, seconds: number, jobId?: string): SessionFacts['leases'][number] {
  return { project, seconds, jobId, grantedAt: at('01T12:10:00') };
}
