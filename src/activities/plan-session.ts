import { DEFAULT_IMAGE } from '../contract/index.js';
import { cappedLimits, limitName } from '../limits.js';
import { chooseGpus, refusalOf } from '../runpod/index.js';
import { finalFailure } from './failures.js';
import { withHeart } from './heart.js';
import type { PodDependencies } from './pod-dependencies.js';
import type { PlanSessionInput, SessionPlan } from './types.js';

/** A budget that buys less could only pay for a pod that nobody can use: the shortest boot that may be asked for. */
const SHORTEST_LIFE_SECONDS = 10;

/**
 * Fills in the operator's defaults, applies the operator's caps, looks the candidates up in RunPod's catalog and fixes the
 * hard deadline: start + min(lifetime, what the budget buys of the dearest candidate).
 * @throws GPU_UNKNOWN, PRICE_LIMIT, INVALID_INPUT; RunPod's failures
 */
export function planSession(deps: PodDependencies, { spec, startedAtMs }: PlanSessionInput): Promise<SessionPlan> {
  return withHeart(deps, async (_heart, signal) => {
    const limits = cappedLimits(spec, deps.caps);
    const { gpus, gpuCount, cloud } = spec;
    const catalog = await deps.runpod.listGpus({ signal, cloud, count: gpuCount });
    const { maxPriceUsdPerHour, maxCostUsd, maxLifetimeSeconds } = limits;
    const choice = chooseGpus(catalog, { gpus, gpuCount, cloud, maxPriceUsdPerHour });
    const { candidates } = choice;
    const passedOver = [...choice.tooDear, ...choice.notOffered];
    const refusal = refusalOf(choice, catalog, cloud, limitName('maxPriceUsdPerHour', spec, limits));
    if (refusal) throw finalFailure(refusal.code, refusal.message, { nothingCreated: true });
    const dearest = Math.max(...candidates.map(({ costPerHourUsd }) => costPerHourUsd));
    const budgetSeconds = (3600 * maxCostUsd) / dearest;
    if (budgetSeconds < SHORTEST_LIFE_SECONDS) {
      const field = limitName('maxCostUsd', spec, limits);
      const message = `${field}: $${maxCostUsd} buys less than ${SHORTEST_LIFE_SECONDS} s at $${dearest} an hour. Raise it.`;
      throw finalFailure('INVALID_INPUT', message, { nothingCreated: true });
    }
    return {
      owner: deps.owner,
      api: spec.api ?? deps.defaults.api,
      model: spec.model ?? deps.defaults.model,
      // The operator's file is the operator's model: another model is pulled by its name.
      modelFile: spec.model === undefined || spec.model === deps.defaults.model ? deps.defaults.modelFile : undefined,
      image: spec.templateId === undefined ? (spec.image ?? DEFAULT_IMAGE) : undefined,
      candidates,
      ...(passedOver.length > 0 && { passedOver }),
      limits,
      hardDeadlineMs: startedAtMs + Math.floor(Math.min(maxLifetimeSeconds, budgetSeconds)) * 1000,
      ...(deps.webhook && { webhook: true }),
    };
  });
}
