import { describe, expect, it } from 'vitest';
import { isSameAttempt, parsePodName, podName, podNamePrefix, type PodNameParts } from '../../../src/contract/index.js';
import { ownerName } from '../../../src/config.js';
import { dice, seedOf, type Dice } from '../../support/seeded.js';

const NAMES = 'abcdefghijklmnopqrstuvwxyz0123456789-';
const HEX = '0123456789abcdef';
/** RunPod REST v2, CreatePodRequest: longest name. */
const MAX_POD_NAME = 191;

const parts = (change: Partial<PodNameParts> = {}): PodNameParts => ({
  owner: 'anna-0123abcd',
  session: 'default',
  firstRunId: '0197a2b4-1111-7222-8333-44445555c0de',
  attempt: 1,
  hardDeadlineSeconds: 1_800_000_000,
  ...change,
});

const uuid = (roll: Dice): string => [8, 4, 4, 4, 12].map((length) => roll.text(HEX, length, length)).join('-');

describe('a pod name', () => {
  it('says everything that a killer needs', () => {
    expect(podName(parts())).toBe('devloop.anna-0123abcd.default.0197a2b4-1111-7222-8333-44445555c0de.1.1800000000');
  });

  const seed = seedOf();
  it(`comes back as it went (seed ${seed})`, () => {
    const roll = dice(seed);
    for (let round = 0; round < 2000; round++) {
      const some = parts({
        owner: roll.text(NAMES, 1, 32),
        session: roll.text(NAMES, 1, 40),
        firstRunId: uuid(roll),
        attempt: roll.integer(1, 1_000_000_000),
        hardDeadlineSeconds: roll.integer(1, 1_000_000_000_000),
      });
      const name = podName(some);
      expect(parsePodName(name)).toEqual(some);
      expect(name.startsWith(podNamePrefix(some))).toBe(true);
    }
  });

  it('fits into RunPod with the longest parts that the contract allows', () => {
    const longest = parts({
      owner: `${ownerName('x'.repeat(200))}-01234567`,
      session: 's'.repeat(40),
      attempt: 999_999_999,
      hardDeadlineSeconds: 999_999_999_999,
    });
    expect(podName(longest).length).toBeLessThanOrEqual(MAX_POD_NAME);
    expect(parsePodName(podName(longest))).toEqual(longest);
  });

  it.each([
    'my pod',
    '',
    'devloop',
    'devloop.anna.default.run.1',
    'devloop.anna.default.run.1.1800000000.more',
    'Devloop.anna.default.run.1.1800000000',
    'xdevloop.anna.default.run.1.1800000000',
    'devloop.anna.default.run.0.1800000000',
    'devloop.anna.default.run.01.1800000000',
    'devloop.anna.default.run.-1.1800000000',
    'devloop.anna.default.run.1e3.1800000000',
    'devloop.anna.default.run.1.18000000x0',
    'devloop.anna.default.run.1.',
    'devloop.anna.default.run.1.0',
    'devloop..default.run.1.1800000000',
    'devloop.anna..run.1.1800000000',
    'devloop.anna.default..1.1800000000',
    'devloop.anna.default.run.1.1800000000\n',
    ' devloop.anna.default.run.1.1800000000',
    'devloop.anna.default.run.1.99999999999999999999',
  ])('is not read out of the stranger %j', (name) => {
    expect(parsePodName(name)).toBeUndefined();
  });

  const strangersSeed = seedOf(1);
  it(`is never read out of random text (seed ${strangersSeed})`, () => {
    const roll = dice(strangersSeed);
    for (let round = 0; round < 2000; round++) {
      const name = roll.text(`${NAMES}.`, 0, 60);
      const read = parsePodName(name);
      // Only what we would have written ourselves is read.
      if (read) expect(podName(read)).toBe(name);
    }
  });
});

describe('the prefix of a session', () => {
  it.each([
    ['another owner that begins alike', parts({ owner: 'anna-0123abcde' })],
    ['another session that begins alike', parts({ session: 'default2' })],
    ['another run that begins alike', parts({ firstRunId: '0197a2b4-1111-7222-8333-44445555c0de5' })],
  ])('does not fit %s', (_what, other) => {
    expect(podName(other).startsWith(podNamePrefix(parts()))).toBe(false);
  });

  it('fits every attempt and deadline', () => {
    const prefix = podNamePrefix(parts());
    expect(podName(parts({ attempt: 12 })).startsWith(prefix)).toBe(true);
    expect(podName(parts({ hardDeadlineSeconds: 5 })).startsWith(prefix)).toBe(true);
  });
});

describe('the same attempt', () => {
  it('is told by everything but the deadline', () => {
    expect(isSameAttempt(parts(), parts({ hardDeadlineSeconds: 7 }))).toBe(true);
    const others = [{ owner: 'x' }, { session: 'x' }, { firstRunId: 'x' }, { attempt: 2 }].map((change) =>
      parts(change),
    );
    expect(others.map((other) => isSameAttempt(parts(), other))).toEqual([false, false, false, false]);
  });
});
