import { DEFAULT_IMAGE } from '../contract/index.js';
import { usdPerHour, type GpuOffer } from '../runpod/index.js';
import { finalFailure } from './failures.js';
import { withHeart } from './heart.js';
import type { PodDependencies } from './pod-dependencies.js';
import type { PlanSessionInput, SessionPlan } from './types.js';

const MAX_SUGGESTIONS = 5;
/** A budget that buys less could only pay for a pod that nobody can use: the shortest boot that may be asked for. */
const SHORTEST_LIFE_SECONDS = 10;

/**
 * Fills in the operator's defaults, looks the candidates up in RunPod's catalog and fixes the hard deadline:
 * start + min(lifetime, what the budget buys of the dearest candidate).
 * @throws GPU_UNKNOWN, PRICE_LIMIT, INVALID_INPUT; RunPod's failures
 */
export function planSession(deps: PodDependencies, { spec, startedAtMs }: PlanSessionInput): Promise<SessionPlan> {
  return withHeart(deps, async (_heart, signal) => {
    const catalog = await deps.runpod.listGpus({ signal, cloud: spec.cloud, count: spec.gpuCount });
    const candidates = spec.gpus.map((gpu) => ({ gpu, costPerHourUsd: podPrice(catalog, gpu, spec) }));
    const affordable = candidates.filter(({ costPerHourUsd }) => costPerHourUsd <= spec.maxPriceUsdPerHour);
    if (affordable.length === 0) {
      const prices = candidates.map(({ gpu, costPerHourUsd }) => `${gpu} $${costPerHourUsd}`).join(', ');
      const message = `maxPriceUsdPerHour: $${spec.maxPriceUsdPerHour} is below every candidate's price (${prices}). Raise it or name another GPU.`;
      throw finalFailure('PRICE_LIMIT', message, { nothingCreated: true });
    }
    const dearest = Math.max(...affordable.map(({ costPerHourUsd }) => costPerHourUsd));
    const budgetSeconds = (3600 * spec.maxCostUsd) / dearest;
    if (budgetSeconds < SHORTEST_LIFE_SECONDS) {
      const message = `maxCostUsd: $${spec.maxCostUsd} buys less than ${SHORTEST_LIFE_SECONDS} s at $${dearest} an hour. Raise it.`;
      throw finalFailure('INVALID_INPUT', message, { nothingCreated: true });
    }
    return {
      owner: deps.owner,
      api: spec.api ?? deps.defaults.api,
      model: spec.model ?? deps.defaults.model,
      // The operator's file is the operator's model: another model is pulled by its name.
      modelFile: spec.model === undefined || spec.model === deps.defaults.model ? deps.defaults.modelFile : undefined,
      image: spec.templateId === undefined ? (spec.image ?? DEFAULT_IMAGE) : undefined,
      candidates: affordable,
      hardDeadlineMs: startedAtMs + Math.floor(Math.min(spec.maxLifetimeSeconds, budgetSeconds)) * 1000,
      ...(deps.webhook ? { webhook: true } : {}),
    };
  });
}

function podPrice(
  catalog: readonly GpuOffer[],
  gpu: string,
  spec: { readonly cloud: 'SECURE' | 'COMMUNITY'; readonly gpuCount: number },
): number {
  const offer = catalog.find(({ id }) => id === gpu);
  const price = offer && usdPerHour(offer, spec.cloud);
  if (price !== undefined) return price * spec.gpuCount;
  const wanted = gpu.toLowerCase();
  const offered = catalog.filter((other) => usdPerHour(other, spec.cloud) !== undefined);
  const near = offered.filter(({ id }) => id.toLowerCase().includes(wanted) || wanted.includes(id.toLowerCase()));
  const names = (near.length > 0 ? near : offered).slice(0, MAX_SUGGESTIONS).map(({ id }) => id);
  const problem = offer ? `"${gpu}" is not offered in the ${spec.cloud} cloud` : `RunPod has no GPU "${gpu}"`;
  throw finalFailure('GPU_UNKNOWN', `gpus: ${problem}. There is for example: ${names.join(', ')}.`, {
    nothingCreated: true,
  });
}
