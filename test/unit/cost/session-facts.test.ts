import { describe, expect, it } from 'vitest';
import { sessionRecordSchema } from '../../../src/contract/index.js';
import { factsOf, factsOfClosed, once, sessionFactsSchema } from '../../../src/cost/session-facts.js';
import { codeBlocks } from '../../support/markdown.js';
import { at, sessionOf } from './session-story.js';

const [example = ''] = codeBlocks('docs/contract.md', 'json', 'SessionRecord');
const record = sessionRecordSchema.parse(JSON.parse(example));

describe('what is kept of a record', () => {
  it('names jobs by their id, and nothing that a person wrote but names', () => {
    const facts = factsOf({ ...record, stopReason: 'SECRET', startedBy: 'SECRET' }, { runId: 'r', state: 'ended' });
    expect(facts.leases).toMatchObject([{ jobId: '3f2a', project: 'my-project', seconds: 144.2 }]);
    expect(JSON.stringify(facts)).not.toContain('SECRET');
    expect(sessionFactsSchema.parse(facts)).toEqual(facts);
  });

  it('a lease of another program is no job; the name of a pod tells the run where the record does not', () => {
    const { firstRunId, ...older } = record;
    const leases = [{ ...record.leases[0]!, leaseId: 'my-notebook' }];
    const facts = factsOf({ ...older, leases }, { runId: 'r', state: 'ended' });
    expect(facts.leases[0]?.jobId).toBeUndefined();
    expect(facts.firstRunId).toBe(firstRunId);
  });

  it('without one what Temporal has of it', () => {
    const times = { startedAt: at('01T12:00:00'), endedAt: at('01T13:00:00') };
    const closed = { session: 's', runId: 'r', project: 'p', state: 'terminated' as const, code: undefined, ...times };
    expect(factsOfClosed({ ...closed, record: undefined, podId: 'pod-1', costUsd: undefined })).toMatchObject({
      pods: [],
      unrecorded: { lastPodId: 'pod-1' },
    });
  });

  it('a session that is known twice counts once, as it was told first', () => {
    const twice = [sessionOf({ firstRunId: 'a', session: 'first' }), sessionOf({ firstRunId: 'a' }), sessionOf()];
    expect(once(twice).map(({ session }) => session)).toEqual(['first', 'train']);
  });
});
