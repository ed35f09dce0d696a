import { describe, expect, it } from 'vitest';
import { countOthers } from '../../../src/cli/start-session/leave.js';
import type { SessionStatus } from '../../../src/contract/index.js';

const OWN = 'agent-job/own';

function status(holders: (string | undefined)[], queued: number): SessionStatus {
  const at = '2026-01-01T00:00:00.000Z';
  return {
    session: 's',
    phase: 'ready',
    condemned: [],
    uptimeSeconds: 1,
    costUsd: 0,
    leases: holders.map((workflowId, i) => ({
      leaseId: String(i),
      holder: workflowId === undefined ? { kind: 'external' } : { kind: 'workflow', workflowId },
      grantedAt: at,
      expiresAt: at,
      lastUsedAt: at,
      hold: false,
    })),
    queued,
    hardDeadline: at,
    why: 'Serving.',
    jobsServed: 0,
  };
}

describe('who else uses a session that somebody leaves', () => {
  it.each([
    ['nobody', status([], 0), false, 0],
    ['the own job on the pod', status([OWN], 0), true, 0],
    ['the own job in the queue', status([], 1), true, 0],
    ['another job', status([OWN, 'agent-job/other'], 0), true, 1],
    ['an external holder', status([undefined], 0), false, 1],
    ['another job in the queue behind the own one', status([OWN], 1), true, 1],
    ['others in the queue beside the own one', status([], 3), true, 2],
    ['somebody in the queue after the own job was answered', status([], 1), false, 1],
  ])('%s', (_who, seen, ownPending, others) => {
    expect(countOthers(seen, OWN, ownPending)).toBe(others);
  });

  it('is an external holder too when there is no own job', () => {
    expect(countOthers(status([undefined], 0), undefined, false)).toBe(1);
  });
});
