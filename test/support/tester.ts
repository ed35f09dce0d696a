import type { OperatorCaps } from '../../src/limits.js';

/** Who rents in tests and stories, and with what. */
export const OWNER = 'tester-0123abcd';
export const GATE_SECRET = 'a secret of sixteen or more characters';
export const NO_CAPS: OperatorCaps = {
  maxPriceUsdPerHour: undefined,
  maxCostUsd: undefined,
  maxLifetimeSeconds: undefined,
  accountPods: undefined,
  accountUsdPerHour: undefined,
};
