import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionStatus } from '../../../src/contract/index.js';
import { listedJob } from './listed-job.js';
import { Changes, type FeedEvent, type Look } from '../../../src/control/events/changes.js';

const status = (session: string, more: Partial<SessionStatus> = {}): SessionStatus => ({
  session,
  phase: 'ready',
  condemned: [],
  uptimeSeconds: 1,
  costUsd: 0.1,
  leases: [],
  queued: 0,
  hardDeadline: '2026-11-27T12:00:00.000Z',
  why: 'Nobody uses it.',
  jobsServed: 0,
  ...more,
});
const look = (parts: Partial<Look>): Look => ({ sessions: [], unanswered: [], jobs: [], ...parts });
const short = (events: FeedEvent[]): unknown[] =>
  events.map(({ event, data }) => {
    const { session, jobId, phase, state, code } = data as Record<string, unknown>;
    return [event, jobId ?? session, phase ?? state ?? code].filter((part) => part !== undefined);
  });

let changes: Changes;

beforeEach(() => {
  changes = new Changes();
});

describe('the events of a look', () => {
  it('are all of it, the first time, and nothing when nothing changed', () => {
    const first = look({ sessions: [status('a')], jobs: [listedJob('j', 'running')] });
    expect(short(changes.of(first))).toEqual([
      ['session', 'a', 'ready'],
      ['job', 'j', 'running'],
    ]);
    expect(changes.of(first)).toEqual([]);
  });

  it('are none for a session that only grew older and dearer', () => {
    changes.of(look({ sessions: [status('a')] }));
    expect(changes.of(look({ sessions: [status('a', { uptimeSeconds: 2, costUsd: 0.2 })] }))).toEqual([]);
  });

  it('are those of what changed, only', () => {
    changes.of(
      look({ sessions: [status('a'), status('b')], jobs: [listedJob('j', 'running'), listedJob('k', 'running')] }),
    );
    const next = look({
      sessions: [status('a'), status('b', { phase: 'stopping' })],
      jobs: [listedJob('j', 'done'), listedJob('k', 'running')],
    });
    expect(short(changes.of(next))).toEqual([
      ['session', 'b', 'stopping'],
      ['job', 'j', 'done'],
    ]);
  });

  it('tell of an end once, though the listing shows the session a little longer', () => {
    changes.of(look({ sessions: [status('a')] }));
    const ended = look({ sessions: [status('a', { phase: 'stopped' })] });
    expect(short(changes.of(ended))).toEqual([['session', 'a', 'stopped']]);
    expect(changes.of(ended)).toEqual([]);
    expect(changes.of(look({}))).toEqual([]);
  });

  it('tell once of a session that cannot be asked, and again when it can', () => {
    changes.of(look({ sessions: [status('a')] }));
    const stuck = look({ unanswered: [{ session: 'a', code: 'NO_WORKER', detail: 'slept 1' }] });
    expect(short(changes.of(stuck))).toEqual([['unanswered', 'a', 'NO_WORKER']]);
    expect(changes.of(look({ unanswered: [{ session: 'a', code: 'NO_WORKER', detail: 'slept 2' }] }))).toEqual([]);
    expect(short(changes.of(look({ sessions: [status('a')] })))).toEqual([['session', 'a', 'ready']]);
  });
});

describe('a look that cannot be had', () => {
  it('is told once for each reason, and its end once; nothing is told twice for it', () => {
    changes.of(look({ sessions: [status('a')] }));
    expect(short(changes.failed('TEMPORAL_UNREACHABLE', 'x'))).toEqual([['problem', 'TEMPORAL_UNREACHABLE']]);
    expect(changes.failed('TEMPORAL_UNREACHABLE', 'y')).toEqual([]);
    expect(short(changes.failed('NO_WORKER', 'z'))).toEqual([['problem', 'NO_WORKER']]);
    expect(short(changes.of(look({ sessions: [status('a')] })))).toEqual([['recovered']]);
    expect(changes.of(look({ sessions: [status('a')] }))).toEqual([]);
  });
});

describe('somebody who comes later', () => {
  it('is told how all stands, trouble included', () => {
    changes.of(look({ sessions: [status('a')], jobs: [listedJob('j', 'running')] }));
    changes.of(look({ sessions: [status('a', { phase: 'stopping' })], jobs: [listedJob('j', 'running')] }));
    expect(short(changes.present())).toEqual([
      ['session', 'a', 'stopping'],
      ['job', 'j', 'running'],
    ]);
    changes.failed('NO_WORKER', 'x');
    expect(short(changes.present()).at(-1)).toEqual(['problem', 'NO_WORKER']);
  });
});

describe('sessions to ask again', () => {
  it('are those that had not ended, whatever the listing shows', () => {
    changes.of(look({ sessions: [status('a'), status('b', { phase: 'stopped' })], jobs: [listedJob('j', 'running')] }));
    expect(changes.openSessions()).toEqual(['a']);
  });
});
