import { describe, expect, it } from 'vitest';
import { leaseOfSession } from '../../../src/cli/proxy/lease-of-session.js';
import type { DevloopClient, Lease, LeaseOptions } from '../../../src/client/index.js';
import { DevloopError, type SessionPhase } from '../../../src/contract/index.js';

const LEASE = { leaseId: 'a lease' } as Lease;
const over = new DevloopError('LEASE_REVOKED', 'idle for 5 s');

interface Met {
  readonly joined: boolean;
  readonly phase?: SessionPhase;
  /** What comes of the wish. */
  readonly outcome: Lease | Error;
  readonly queuedFirst?: boolean;
}

/** Sessions of one name, met one after the other. */
async function ask(...met: readonly Met[]): Promise<{ lease: Lease; said: string[] }> {
  const said: string[] = [];
  let index = -1;
  const handle = {
    requestLease: ({ onQueued }: LeaseOptions) => {
      const { outcome, queuedFirst } = met[index]!;
      if (queuedFirst) onQueued?.(1);
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
    status: () => Promise.resolve({ phase: met[index]!.phase }),
    result: () => {
      said.push('ended');
      return Promise.reject(new Error('a session that failed'));
    },
  };
  const client = {
    startSession: () => {
      index += 1;
      return Promise.resolve({ session: 's', workflowId: 'w', runId: 'r', joined: met[index]!.joined });
    },
    session: () => handle,
  } as unknown as DevloopClient;
  const steps = { asking: () => said.push('asking'), ending: () => said.push('ending') };
  const { signal } = new AbortController();
  return { lease: await leaseOfSession(client, { session: 's' }, { signal }, steps), said };
}

describe('a lease on the session of a name', () => {
  it.each(['draining', 'stopping', 'stopped'] as const)(
    'waits for one that was %s when it came, and asks the next',
    async (phase) => {
      const { lease, said } = await ask({ joined: true, phase, outcome: over }, { joined: false, outcome: LEASE });
      expect(lease).toBe(LEASE);
      expect(said).toEqual(['asking', 'ending', 'ended', 'asking']);
    },
  );

  it('asks the next when the one that it met was over before it could ask', async () => {
    const gone = new DevloopError('SESSION_NOT_FOUND', 'gone');
    const { lease } = await ask({ joined: true, phase: 'stopped', outcome: gone }, { joined: false, outcome: LEASE });
    expect(lease).toBe(LEASE);
  });

  it.each<[string, Met]>([
    ['that it waited for and that was stopped', { joined: true, phase: 'stopping', outcome: over, queuedFirst: true }],
    ['that it started itself', { joined: false, phase: 'stopping', outcome: over }],
    ['whose queue is full', { joined: true, phase: 'ready', outcome: over }],
  ])('starts no other one for a session %s', async (_which, met) => {
    await expect(ask(met, { joined: false, outcome: LEASE })).rejects.toBe(over);
  });

  it('starts no other one for another failure', async () => {
    const conflict = new DevloopError('SESSION_SPEC_CONFLICT', 'another GPU');
    await expect(ask({ joined: true, phase: 'stopping', outcome: conflict })).rejects.toBe(conflict);
  });
});
