import { describe, expect, it } from 'vitest';
import { podName, type SessionLook } from '../../../src/contract/index.js';
import {
  classifyPods,
  isLate,
  isSuspect,
  type DeadmanStatus,
  type Pod,
  type PodVerdict,
} from '../../../src/runpod/index.js';

const NOW = 1_800_000_000;
const OWNER = 'tester-0123abcd';

interface Case {
  readonly status?: Pod['status'];
  readonly owner?: string;
  /** Seconds from now. */
  readonly deadline?: number;
  readonly readyBy?: number;
  readonly env?: Record<string, string>;
  readonly session?: SessionLook;
  readonly deadman?: Partial<DeadmanStatus>;
  readonly name?: string;
}

const running: SessionLook = { state: 'running', podId: 'pod1' };

function judge(given: Case) {
  const { owner = OWNER, deadline = 3600, readyBy = -500, session = running, status = 'RUNNING' } = given;
  const name = { owner, session: 's', firstRunId: 'r', attempt: 1, hardDeadlineSeconds: NOW + deadline };
  const pod: Pod = {
    id: 'pod1',
    name: given.name ?? podName(name),
    status,
    image: 'i',
    ports: [],
    env: given.env ?? { DEVLOOP_READY_BY: String(NOW + readyBy), DEVLOOP_IDLE_SECONDS: '480' },
    locked: false,
  };
  const deadman = given.deadman && { state: 'armed' as const, ready: true, inFlight: 0, seenAt: NOW, ...given.deadman };
  const [seen] = classifyPods({
    pods: [pod],
    nowMs: NOW * 1000,
    isMine: (name) => name === OWNER,
    session: () => session,
    deadman: () => deadman,
  });
  return seen;
}

const end: Partial<Record<PodVerdict, 'now' | 'after a second look'>> = {
  overdue: 'now',
  'never-ready': 'now',
  unused: 'now',
  orphan: 'after a second look',
  surplus: 'after a second look',
};

describe('classifyPods', () => {
  const cases: [string, PodVerdict, Case][] = [
    ['in use', 'kept', { deadman: { idleSeconds: 0, inFlight: 1 } }],
    ["somebody else's machine", 'stranger', { name: 'my notebook' }],
    ['a name that only looks like ours', 'stranger', { name: 'devloop.a.b.c.1' }],
    ['within the grace after its deadline', 'kept', { deadline: -120 }],
    ['past its deadline and the grace', 'overdue', { deadline: -121 }],
    ['past its deadline though its session runs', 'overdue', { deadline: -500, session: running }],
    ['past its deadline while Temporal is away', 'overdue', { deadline: -500, session: { state: 'unknown' } }],
    ['still starting within the grace after READY_BY', 'kept', { status: 'STARTING', readyBy: -120 }],
    ['still provisioning after READY_BY', 'never-ready', { status: 'PROVISIONING', readyBy: -121 }],
    ['exited after READY_BY', 'never-ready', { status: 'EXITED', readyBy: -121 }],
    ['failed after READY_BY', 'never-ready', { status: 'ERROR', readyBy: -121 }],
    ['exited before READY_BY', 'kept', { status: 'EXITED', readyBy: 60 }],
    ['running, never declared ready', 'never-ready', { deadman: { ready: false, idleSeconds: 0 } }],
    ['running, its gate silent', 'kept', {}],
    ['of a status that we do not know', 'kept', { status: 'UNKNOWN' }],
    ['idle up to twice the grace', 'kept', { deadman: { idleSeconds: 720 } }],
    ['idle beyond twice the grace', 'unused', { deadman: { idleSeconds: 721 } }],
    ['idle, its session stuck on a bad deploy', 'unused', { deadman: { idleSeconds: 721 }, session: running }],
    ['idle, with a request in flight', 'kept', { deadman: { idleSeconds: 721, inFlight: 1 } }],
    ['idle by a switch that has stopped looking', 'kept', { deadman: { idleSeconds: 721, seenAt: NOW - 121 } }],
    ['in a list without environments', 'kept', { env: {}, status: 'EXITED', deadman: { idleSeconds: 9999 } }],
    ['whose session is gone', 'orphan', { session: { state: 'gone' } }],
    ['whose session has another pod', 'surplus', { session: { state: 'running', podId: 'pod2' } }],
    ['whose session does not show its pod yet', 'kept', { session: { state: 'running' } }],
    ['while Temporal is away', 'unknown', { session: { state: 'unknown' } }],
    ["another owner's, whatever Temporal says", 'foreign', { owner: 'other-0123abcd', session: { state: 'gone' } }],
    ['of the same owner in another namespace', 'foreign', { owner: 'tester-ffffffff', session: { state: 'gone' } }],
  ];
  it.each(cases)('a pod %s is %s', (_name, verdict, given) => {
    const seen = judge(given);
    expect(seen?.verdict).toBe(verdict);
    expect(seen && isLate(seen)).toBe(end[verdict] === 'now');
    expect(seen && isSuspect(seen)).toBe(end[verdict] === 'after a second look');
  });

  it('never ends what another owner has, not even past its deadline', () => {
    const seen = judge({ owner: 'other-0123abcd', deadline: -9999 });
    expect(seen).toMatchObject({ verdict: 'overdue', mine: false });
    expect(seen && (isLate(seen) || isSuspect(seen))).toBe(false);
  });

  it('leaves out pods that have ended', () => {
    expect(judge({ status: 'TERMINATED' })).toBeUndefined();
  });
});
