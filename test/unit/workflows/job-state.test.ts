import { beforeEach, describe, expect, it } from 'vitest';
import { agentJobInputSchema, jobStatusSchema, type Grant, type LeaseRevoked } from '../../../src/contract/index.js';
import { JobState } from '../../../src/workflows/agent-job/job-state.js';
import { seconds } from './session-fixture.js';

const grant = (podId = 'pod-1', leaseId = 'lease'): Grant => ({
  leaseId,
  podId,
  podName: 'n',
  endpoint: 'e',
  api: 'ollama',
  model: 'm',
  expiresAt: new Date(seconds(300)).toISOString(),
});
const revoke = (change: Partial<LeaseRevoked> = {}): LeaseRevoked => ({
  leaseId: 'lease',
  reason: 'lunch',
  final: false,
  ...change,
});

let job: JobState;
const status = (second: number) => jobStatusSchema.parse(JSON.parse(JSON.stringify(job.status(seconds(second)))));

beforeEach(() => {
  const spec = agentJobInputSchema.parse({ input: 'hi', session: 's', project: 'p', timeoutSeconds: 60 });
  job = new JobState(spec, 'lease', seconds(0));
});

describe('a job', () => {
  it('waits, runs and is done, and says so', () => {
    expect(status(5)).toMatchObject({
      session: 's',
      agent: 'chat',
      project: 'p',
      phase: 'waiting',
      waitSeconds: 5,
      runSeconds: 0,
    });
    job.granted(grant());
    job.running(seconds(10));
    expect(status(14)).toMatchObject({ phase: 'running', podId: 'pod-1', waitSeconds: 10, runSeconds: 4 });
    job.ended('done', seconds(15), '');
    expect(status(99)).toMatchObject({ phase: 'done', waitSeconds: 10, runSeconds: 5, why: 'Answered.' });
  });

  it('has a time of its own', () => {
    expect([job.remainingMs(seconds(0)), job.remainingMs(seconds(59)), job.remainingMs(seconds(61))]).toEqual([
      60_000, 1000, 0,
    ]);
  });

  it('hears only what is about its own lease', () => {
    job.granted(grant('pod-1', 'somebody else'));
    expect(job.grant).toBeUndefined();
    job.granted(grant());
    job.revoke(revoke({ leaseId: 'somebody else' }));
    expect([job.grant?.podId, job.revoked]).toEqual(['pod-1', undefined]);
  });

  it('takes the newest grant', () => {
    job.granted(grant('pod-1'));
    job.granted(grant('pod-2'));
    expect(job.grant?.podId).toBe('pod-2');
  });

  it('has no grant after a revoke, and no revoke after a grant', () => {
    job.granted(grant());
    job.revoke(revoke());
    expect([job.grant, job.revoked?.reason]).toEqual([undefined, 'lunch']);
    job.granted(grant('pod-2'));
    expect([job.grant?.podId, job.revoked]).toEqual(['pod-2', undefined]);
  });

  it('tells why it waits again', () => {
    job.granted(grant());
    job.running(seconds(10));
    job.revoke(revoke());
    job.waitingAgain('lunch');
    expect(status(20)).toMatchObject({ phase: 'waiting', waitSeconds: 20, runSeconds: 0 });
    expect(status(20).why).toContain('lunch');
  });

  it('goes on after losing its pod once, and not after losing it twice', () => {
    expect(failures(true)).toBe(2);
  });

  it('tries a pod that is not lost five times', () => {
    expect(failures(false)).toBe(5);
  });

  it('forgets the grant of the pod that failed it, and no other', () => {
    job.granted(grant('pod-2'));
    job.forgetGrant(grant('pod-1'));
    expect(job.grant?.podId).toBe('pod-2');
    job.forgetGrant(grant('pod-2'));
    expect(job.grant).toBeUndefined();
  });

  it.each([
    ['failed', 'no balance'],
    ['cancelled', ''],
  ] as const)('that has %s counts no further second', (phase, news) => {
    job.ended(phase, seconds(7), news);
    expect(status(99)).toMatchObject({ phase, waitSeconds: 7, runSeconds: 0 });
    expect(status(99).why).toContain(news);
  });
});

/** So many until the job gives up. */
function failures(isLost: boolean): number {
  let count = 1;
  for (; job.mayGoOn; count++) job.podFailed(isLost);
  return count;
}
