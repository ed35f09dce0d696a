import { describe, expect, it } from 'vitest';
import { statusOf, upToNow } from '../../../src/client/session-handle.js';
import { sessionStatusSchema, type SessionRecord } from '../../../src/contract/index.js';

const createdAt = '2026-01-01T00:00:00.000Z';
const endedAt = '2026-01-01T01:00:00.000Z';
const pod = { id: 'p', name: 'devloop.o.s.r.1.9', gpu: 'G', costPerHourUsd: 0.6, createdAt };
const record: SessionRecord = {
  session: 's',
  startedBy: 'me',
  startedAt: createdAt,
  endedAt,
  phases: [],
  pods: [{ ...pod, endedAt, costUsd: 0.6 }],
  costUsd: 0.6,
  leases: [],
  jobsServed: 3,
  stopReason: 'idle for 480 s',
  unsettled: [],
};

describe('the status of a session that has ended', () => {
  it('comes from its record and is a SessionStatus of the contract', () => {
    const status = sessionStatusSchema.parse(statusOf(record));
    expect(status).toMatchObject({ phase: 'stopped', pod, uptimeSeconds: 3600, costUsd: 0.6, jobsServed: 3 });
    expect(status.stopReason).toBe('idle for 480 s');
  });

  it('has no pod when none was rented', () => {
    expect(statusOf({ ...record, pods: [], costUsd: 0 })).toMatchObject({ uptimeSeconds: 0, costUsd: 0 });
  });

  it('does not run on', () => {
    const status = statusOf(record);
    expect(upToNow(status, Date.parse(endedAt) + 1e6)).toEqual(status);
  });
});

describe("the status of a living session, asked between two of its workflow's events", () => {
  it('is brought up to now', () => {
    const asked = { ...statusOf(record), phase: 'ready' as const, uptimeSeconds: 0, costUsd: 0 };
    expect(upToNow(asked, Date.parse(createdAt) + 1800_000)).toMatchObject({ uptimeSeconds: 1800, costUsd: 0.3 });
  });

  it('never runs backwards, whatever the clock here says', () => {
    const asked = { ...statusOf(record), phase: 'ready' as const };
    expect(upToNow(asked, Date.parse(createdAt) - 5000)).toMatchObject({ uptimeSeconds: 3600, costUsd: 0.6 });
  });
});
