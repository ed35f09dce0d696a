import type { PodSessionSpec } from './contract/index.js';

/** What the operator allows, from the worker's environment. Undefined: no cap. Money in US dollars. */
export interface OperatorCaps {
  /** For one session; they win over what the session asks for. */
  readonly maxPriceUsdPerHour: number | undefined;
  readonly maxCostUsd: number | undefined;
  readonly maxLifetimeSeconds: number | undefined;
  /**
   * For all living pods of the account whose names Devloop made, whoever owns them. Soft: RunPod has no lock, so two
   * workers that rent in the same moment may both find room.
   */
  readonly accountPods: number | undefined;
  readonly accountUsdPerHour: number | undefined;
}

/** The variable behind each cap of a session, for errors that name the way out. */
export const CAP_VARIABLES = {
  maxPriceUsdPerHour: 'DEVLOOP_MAX_PRICE_USD_PER_HOUR',
  maxCostUsd: 'DEVLOOP_MAX_COST_USD',
  maxLifetimeSeconds: 'DEVLOOP_MAX_LIFETIME',
} as const;

/** What a session is held to. */
export type SessionLimits = Pick<PodSessionSpec, keyof typeof CAP_VARIABLES>;

/** The lower of what the session asks for and what the operator allows. */
export function cappedLimits(asked: SessionLimits, caps: OperatorCaps): SessionLimits {
  return {
    maxPriceUsdPerHour: Math.min(asked.maxPriceUsdPerHour, caps.maxPriceUsdPerHour ?? Infinity),
    maxCostUsd: Math.min(asked.maxCostUsd, caps.maxCostUsd ?? Infinity),
    maxLifetimeSeconds: Math.min(asked.maxLifetimeSeconds, caps.maxLifetimeSeconds ?? Infinity),
  };
}

/**
 * A limit as errors name it: the session's field or, where that is what binds, the operator's variable.
 * @param name what the person who asked calls the field
 */
export function limitName(
  limit: keyof SessionLimits,
  asked: SessionLimits,
  limits: SessionLimits,
  name: string = limit,
): string {
  return limits[limit] < asked[limit] ? `${name}, capped by the operator's ${CAP_VARIABLES[limit]}` : name;
}

/** The most that a session may cost at a price an hour, in whole cents, rounded up. */
export function worstCaseUsd({ maxCostUsd, maxLifetimeSeconds }: SessionLimits, usdPerHour: number): number {
  // Without the small term a product such as 0.69 × 8 would round up by a whole cent.
  const wholeLife = Math.ceil((usdPerHour * maxLifetimeSeconds) / 36 - 1e-9) / 100;
  return Math.min(maxCostUsd, wholeLife);
}
