import { describe, expect, it } from 'vitest';
import type { ReaperRounds } from '../../../src/client/index.js';
import type { SeenPod, SessionStatus, SweepReport } from '../../../src/contract/index.js';
import { killersOf, type KillerFacts } from '../../../src/control/overview/killers.js';
import { leaksOf } from '../../../src/control/overview/leaks.js';
import type { Killer } from '../../../src/control/overview/schemas.js';

const NOW = Date.UTC(2026, 10, 27, 12, 0, 0);
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const sweep = (change: Partial<SweepReport> = {}): SweepReport => ({
  at: ago(40),
  pods: 1,
  suspects: [],
  ended: [],
  reported: [],
  problems: [],
  webhook: false,
  left: [],
  strangers: { count: 0, costPerDayUsd: 0 },
  exited: [],
  switches: [{ podId: 'p', session: 's', state: 'armed' }],
  ...change,
});
const pod = (podId: string, verdict: string, change: Partial<SeenPod> = {}): SeenPod => ({
  podId,
  podName: `name of ${podId}`,
  status: 'RUNNING',
  costPerDayUsd: 24,
  verdict,
  why: `it is ${verdict}`,
  ...change,
});
const told = (report: SweepReport | undefined, failure?: ReaperRounds['failure']): ReaperRounds => ({
  sweep: report,
  failure,
});

describe('whether anything leaks', () => {
  it('is no, with the time of the look', () => {
    const { state, summary } = leaksOf(told(sweep()), [], NOW);
    expect([state, summary]).toEqual(['none', 'No: at 11:59:20 UTC the reaper saw 1 pod, all accounted for.']);
  });

  it.each([
    ['no round has told anything', told(undefined), /^Not known: no round/],
    [
      'the last report is old',
      told(sweep({ at: ago(301) })),
      /^Not known since 11:54:59 UTC: the reaper has not looked/,
    ],
    [
      'the newest round failed',
      told(sweep(), { at: ago(5), message: 'RunPod says 500' }),
      /^Not known since 11:59:20 UTC: the reaper's last round failed at 11:59:55 UTC: RunPod says 500\.$/,
    ],
    [
      'the report is old and has an alarm',
      told(sweep({ at: ago(3600), suspects: [pod('a', 'orphan')] })),
      /^Not known since 11:00:00 UTC: .* Known until then: 1 alarm, \$24\.00 a day\.$/,
    ],
  ])('is not known when %s, and never well', (_what, rounds, summary) => {
    const leaks = leaksOf(rounds, [], NOW);
    expect(leaks.state).toBe('unknown');
    expect(leaks.summary).toMatch(summary);
  });

  it('is yes for each kind of pod that costs money for nobody, each pod once, with its cost a day', () => {
    const report = sweep({
      suspects: [pod('orphan', 'orphan'), pod('surplus', 'surplus'), pod('ended', 'orphan')],
      ended: [pod('ended', 'orphan')],
      left: [pod('left', 'overdue')],
      exited: [pod('stopped', 'stranger', { status: 'EXITED', costPerDayUsd: 0.5 }), pod('left', 'overdue')],
      reported: [pod('stopped', 'foreign', { status: 'EXITED' }), pod('dark', 'unknown'), pod('theirs', 'overdue')],
      strangers: { count: 2, costPerDayUsd: 30 },
      switches: [{ podId: 'bare', session: 's', state: 'unarmed', problem: 'no key' }],
    });
    const { state, summary, alarms } = leaksOf(told(report), [], NOW);
    expect(alarms.map(({ kind }) => kind)).toEqual([
      'left',
      'orphan',
      'surplus',
      'exited',
      'unknown',
      'overdue',
      'strangers',
      'unarmed',
    ]);
    expect([state, summary]).toEqual(['found', 'Yes: 8 alarms, at least $150.00 a day.']);
    expect(alarms.find(({ kind }) => kind === 'orphan')?.text).toBe(
      'Pod orphan (name of orphan): it is orphan; it ends when a second look shows the same.',
    );
    // The stopped one is told by itself.
    expect(alarms.find(({ kind }) => kind === 'strangers')).toMatchObject({
      text: expect.stringMatching(/^1 pod is in the account/) as string,
      costPerDayUsd: 29.5,
    });
    expect(alarms.at(-1)?.text).toContain('(no key)');
  });

  it('is yes for what a session cannot get rid of', () => {
    const session = {
      session: 's',
      phase: 'stuck',
      pod: { id: 'a', name: 'n', gpu: 'g', costPerHourUsd: 1, createdAt: ago(900) },
      condemned: [
        { id: 'a', name: 'n', since: ago(60), lastError: 'no' },
        { id: 'b', name: 'n', since: ago(60), lastError: 'HTTP 500' },
      ],
    } as unknown as SessionStatus;
    const { state, alarms } = leaksOf(told(sweep()), [session], NOW);
    expect(state).toBe('found');
    expect(alarms.map(({ kind, costPerDayUsd }) => [kind, costPerDayUsd])).toEqual([
      ['stuck', 24],
      ['condemned', undefined],
    ]);
    expect(alarms[1]?.text).toContain('given up at 11:59:00 UTC and is not seen gone (HTTP 500)');
  });

  it('tells what older workers report', () => {
    const { left, strangers, exited, switches, ...older } = sweep({ problems: ['pod x: no'] });
    expect([left, strangers, exited, switches]).not.toContain(undefined);
    expect(leaksOf(told(older), [], NOW).alarms).toEqual([{ kind: 'problem', text: 'pod x: no.' }]);
  });
});

describe('the killers', () => {
  const facts = (change: Partial<KillerFacts> = {}): KillerFacts => ({
    workerPolls: true,
    reaper: { state: 'running', lastRoundAt: ago(40) },
    rounds: told(sweep()),
    nowMs: NOW,
    ...change,
  });
  const states = (change: Partial<KillerFacts> = {}): Record<string, Killer['state']> =>
    Object.fromEntries(killersOf(facts(change)).map(({ killer, state }) => [killer, state]));
  const textOf = (killer: string, change: Partial<KillerFacts> = {}): string =>
    killersOf(facts(change)).find((found) => found.killer === killer)?.text ?? '';

  it('are alive, but for the one that cannot be seen from here', () => {
    expect(states()).toEqual({ timer: 'alive', reaper: 'alive', switch: 'alive', cron: 'unknown' });
    expect(textOf('switch')).toBe('Armed on 1 of 1 running pod at 11:59:20 UTC.');
    expect(textOf('cron')).toMatch(/cannot be seen from here\. Install .*reap\.yml/);
  });

  it.each([
    ['timer', 'dead', { workerPolls: false }, /devloop worker/],
    ['reaper', 'dead', { reaper: { state: 'paused', lastRoundAt: undefined } }, /toggle --unpause/],
    ['reaper', 'dead', { reaper: { state: 'absent', lastRoundAt: undefined } }, /no Schedule/],
    ['reaper', 'dead', { rounds: told(sweep({ at: ago(301) })) }, /has not looked since; it last read .* 11:54:59 UTC/],
    ['reaper', 'dead', { rounds: told(sweep(), { at: ago(1), message: 'no key' }) }, /failed at 11:59:59 UTC: no key/],
    ['reaper', 'unknown', { rounds: told(undefined) }, /no round has ended yet/],
    ['switch', 'unknown', { rounds: told(sweep({ at: ago(301) })) }, /^Not known/],
    [
      'switch',
      'dead',
      { rounds: told(sweep({ switches: [{ podId: 'p', session: 's', state: 'unarmed' }] })) },
      /0 of 1.*p of s: unarmed/,
    ],
    [
      'switch',
      'unknown',
      { rounds: told(sweep({ switches: [{ podId: 'p', session: 's', state: 'starting' }] })) },
      /starting/,
    ],
    ['switch', 'alive', { rounds: told(sweep({ switches: [] })) }, /none was needed/],
  ] as const)('%s is %s', (killer, state, change, text) => {
    expect(states(change)[killer]).toBe(state);
    expect(textOf(killer, change)).toMatch(text);
  });
});
