import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { cappedLimits, limitName, worstCaseUsd, type OperatorCaps } from '../../src/limits.js';

const asked = { maxPriceUsdPerHour: 1, maxCostUsd: 5, maxLifetimeSeconds: 28_800 };
const capped = (caps: Partial<OperatorCaps>) => cappedLimits(asked, { ...loadConfig({}).caps, ...caps });

describe('limits', () => {
  it('are what was asked for without caps, and the lower of both with them', () => {
    expect(capped({})).toEqual(asked);
    expect(capped({ maxPriceUsdPerHour: 2, maxCostUsd: 1, maxLifetimeSeconds: 60 })).toEqual({
      maxPriceUsdPerHour: 1,
      maxCostUsd: 1,
      maxLifetimeSeconds: 60,
    });
  });

  it('are named by whoever set them', () => {
    expect(limitName('maxCostUsd', asked, capped({ maxCostUsd: 5 }))).toBe('maxCostUsd');
    expect(limitName('maxCostUsd', asked, capped({ maxCostUsd: 4.99 }))).toContain('DEVLOOP_MAX_COST_USD');
  });
});

describe('the worst case', () => {
  it.each([
    ['the budget, when the lifetime could cost more', 0.69, {}, 5],
    ['the whole lifetime, when that is less', 0.5, {}, 4],
    ['whole cents, rounded up', 0.69, { maxLifetimeSeconds: 100 }, 0.02],
    ['not a cent more than a product of whole cents', 0.69, { maxCostUsd: 9 }, 5.52],
    ['never above the budget', 0.69, { maxLifetimeSeconds: 100, maxCostUsd: 0.0195 }, 0.0195],
  ])('is %s', (_what, usdPerHour, change, worst) => {
    expect(worstCaseUsd({ ...asked, ...change }, usdPerHour)).toBe(worst);
  });
});
