import { podSessionInputSchema, type DevloopError, type PodSessionInput } from '../contract/index.js';
import { cappedLimits, limitName, worstCaseUsd, type OperatorCaps, type SessionLimits } from '../limits.js';
import { chooseGpus, passedOverText, refusalOf, type Choice, type Cloud, type GpuOffer } from '../runpod/index.js';
import { formatSeconds, formatUsd } from './duration.js';

/** What a session would cost by RunPod's prices of this moment. */
export interface Quote {
  readonly choice: Choice;
  readonly cloud: Cloud;
  readonly limits: SessionLimits;
  /** US dollars an hour of the dearest candidate; without one of the dearest that the limits allow. */
  readonly usdPerHour: number;
  /** US dollars. */
  readonly worstCaseUsd: number;
  /** Why nothing can be rented; undefined when something can. */
  readonly refusal: DevloopError | undefined;
}

/** @param input checked; what it leaves out has the contract's defaults */
export function quoteFor(input: PodSessionInput, caps: OperatorCaps, catalog: readonly GpuOffer[]): Quote {
  const spec = podSessionInputSchema.parse(input);
  const { cloud, gpus, gpuCount } = spec;
  const limits = cappedLimits(spec, caps);
  const choice = chooseGpus(catalog, { gpus, gpuCount, cloud, maxPriceUsdPerHour: limits.maxPriceUsdPerHour });
  const prices = choice.candidates.map(({ costPerHourUsd }) => costPerHourUsd);
  const usdPerHour = prices.length > 0 ? Math.max(...prices) : limits.maxPriceUsdPerHour;
  return {
    choice,
    cloud,
    limits,
    usdPerHour,
    worstCaseUsd: worstCaseUsd(limits, usdPerHour),
    refusal: refusalOf(choice, catalog, cloud, limitName('maxPriceUsdPerHour', spec, limits, '--max-price')),
  };
}

/** What was agreed to binds: a price that rises afterwards refuses the session, or costs it lifetime, but no more money. */
export function agreedInput(input: PodSessionInput, { usdPerHour, worstCaseUsd }: Quote): PodSessionInput {
  return { ...input, maxPriceUsdPerHour: input.maxPriceUsdPerHour ?? usdPerHour, maxCostUsd: worstCaseUsd };
}

/** Lines for people: every candidate's price, whatever is passed over, the worst case. */
export function quoteLines(quote: Quote): string[] {
  const { choice, cloud, limits } = quote;
  const { candidates, tooDear, notOffered } = choice;
  return [
    ...candidates.map(
      ({ gpu, costPerHourUsd, outOfStock }) =>
        `● ${gpu}: ${formatUsd(costPerHourUsd)} an hour now (${cloud} cloud${outOfStock ? '; no stock, says the catalog' : ''})`,
    ),
    ...[...tooDear, ...notOffered].map((passed) => `– ${passedOverText([passed])}`),
    `● worst case: ${formatUsd(quote.worstCaseUsd)} for a session, which ends after ${formatSeconds(limits.maxLifetimeSeconds)} or ${formatUsd(limits.maxCostUsd)} at the latest`,
  ];
}
