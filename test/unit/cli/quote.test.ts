import { describe, expect, it } from 'vitest';
import { agreedInput, quoteFor, quoteLines } from '../../../src/cli/quote.js';
import { matchingGpus } from '../../../src/cli/show-gpus.js';
import { loadConfig } from '../../../src/config.js';
import type { PodSessionInput } from '../../../src/contract/index.js';
import type { GpuOffer } from '../../../src/runpod/index.js';

const gpu = (id: string, secure?: number, community?: number, change: Partial<GpuOffer> = {}): GpuOffer => ({
  id,
  displayName: id.replace('NVIDIA GeForce ', ''),
  memoryGb: 24,
  ...(secure !== undefined && { secureUsdPerHour: secure }),
  ...(community !== undefined && { communityUsdPerHour: community }),
  availability: 'HIGH',
  ...change,
});
const RTX_4090 = 'NVIDIA GeForce RTX 4090';
const catalog = [
  gpu('A100', 1.64, 1.19),
  gpu(RTX_4090, 0.69, 0.34),
  gpu('L4', 0.43),
  gpu('RTX 3070', undefined, 0.13, { availability: 'NONE' }),
];

const quote = (input: Partial<PodSessionInput> = {}, env: NodeJS.ProcessEnv = {}) =>
  quoteFor({ session: 's', ...input }, loadConfig(env).caps, catalog);

describe('what a session would cost', () => {
  it("is the catalog's price and, at worst, the lifetime at it or the budget", () => {
    expect(quote()).toMatchObject({ usdPerHour: 0.69, worstCaseUsd: 5 });
    expect(quote({ maxLifetimeSeconds: 3600 })).toMatchObject({ worstCaseUsd: 0.69 });
    expect(quote({ gpus: ['L4', RTX_4090], gpuCount: 2, maxPriceUsdPerHour: 2 })).toMatchObject({ usdPerHour: 1.38 });
  });

  it("heeds the operator's caps", () => {
    expect(quote({ maxCostUsd: 100 }, { DEVLOOP_MAX_COST_USD: '1.5' }).worstCaseUsd).toBe(1.5);
    expect(quote({}, { DEVLOOP_MAX_PRICE_USD_PER_HOUR: '0.5' }).refusal).toMatchObject({
      code: 'PRICE_LIMIT',
      message: expect.stringContaining("operator's DEVLOOP_MAX_PRICE_USD_PER_HOUR") as string,
    });
  });

  it('is refused with the option that the person typed', () => {
    expect(quote({ maxPriceUsdPerHour: 0.5 }).refusal?.message).toMatch(/^--max-price: .*RTX 4090: \$0\.69 /);
    expect(quote({ gpus: ['L5'] }).refusal?.code).toBe('GPU_UNKNOWN');
    expect(quote().refusal).toBeUndefined();
  });

  it('binds the session once it was agreed to', () => {
    const input = { session: 's', maxLifetimeSeconds: 3600 };
    expect(agreedInput(input, quote(input))).toEqual({ ...input, maxPriceUsdPerHour: 0.69, maxCostUsd: 0.69 });
    const priced = { ...input, maxPriceUsdPerHour: 0.8 };
    expect(agreedInput(priced, quote(priced))).toEqual({ ...priced, maxCostUsd: 0.69 });
  });

  it('is shown with every candidate, what is passed over, and the worst case', () => {
    const gpus = ['A100', RTX_4090, 'RTX 3070', 'L5'];
    expect(quoteLines(quote({ gpus, cloud: 'COMMUNITY', maxPriceUsdPerHour: 1 }))).toEqual([
      `● ${RTX_4090}: $0.3400 an hour now (COMMUNITY cloud)`,
      '● RTX 3070: $0.1300 an hour now (COMMUNITY cloud; no stock, says the catalog)',
      '– A100: $1.19 an hour is above the limit of $1',
      '– L5: RunPod has no GPU of this id',
      '● worst case: $2.72 for a session, which ends after 8 h 0 m or $5.00 at the latest',
    ]);
  });
});

describe('the GPUs that are shown', () => {
  const search = { filter: undefined, cloud: undefined, maxPriceUsdPerHour: undefined };
  const ids = (change: Partial<Parameters<typeof matchingGpus>[1]>) =>
    matchingGpus(catalog, { ...search, ...change }).map(({ id }) => id);

  it.each([
    ['all, cheapest of either cloud first', {}, ['RTX 3070', RTX_4090, 'L4', 'A100']],
    ['those of one cloud, by its prices', { cloud: 'SECURE' as const }, ['L4', RTX_4090, 'A100']],
    ['those with the text in id or name', { filter: 'rtx' }, ['RTX 3070', RTX_4090]],
    ['those within a price', { cloud: 'COMMUNITY' as const, maxPriceUsdPerHour: 0.34 }, ['RTX 3070', RTX_4090]],
    ['none', { filter: 'zx81' }, []],
  ])('are %s', (_what, change, expected) => {
    expect(ids(change)).toEqual(expected);
  });
});
