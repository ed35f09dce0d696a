import { describe, expect, it } from 'vitest';
import { shareOut, sum } from '../../../src/cost/money.js';
import { seeded } from '../../support/random.js';

describe('sharing an amount out', () => {
  it.each([
    [100, [1, 1, 1], [33, 34, 33]],
    [10, [3, 1], [8, 2]],
    [7, [0, 5, 0], [0, 7, 0]],
    [9, [0, 0], [5, 4]],
    [0, [2, 1], [0, 0]],
    [5, [2], [5]],
  ])('%d by %j is %j', (amount, weights, shares) => {
    expect(shareOut(amount, weights)).toEqual(shares);
  });

  it('leaves nothing over and takes from nobody, whatever the weights', () => {
    const random = seeded(20_261_127);
    for (let i = 0; i < 2000; i++) {
      const amount = Math.round(random() * 10 ** (random() * 13));
      const weights = Array.from({ length: 1 + Math.floor(random() * 60) }, () => random() ** 4 * 10 ** (random() * 9));
      const shares = shareOut(amount, weights);
      expect(sum(shares)).toBe(amount);
      expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
      const whole = sum(weights);
      shares.forEach((share, at) => {
        expect(Math.abs(share - amount * ((weights[at] ?? 0) / whole))).toBeLessThan(1.01 + amount * 1e-12);
      });
    }
  });
});
