import { DevloopError } from '../contract/index.js';
import { usdPerHour, type Cloud, type GpuOffer } from './types.js';

const MAX_SUGGESTIONS = 5;

/** Which GPUs a session would take, in order of preference. */
export interface GpuWish {
  readonly gpus: readonly string[];
  readonly gpuCount: number;
  readonly cloud: Cloud;
  /** US dollars for the whole pod. */
  readonly maxPriceUsdPerHour: number;
}

/** A GPU that may be rented. US dollars an hour for the whole pod. */
export interface Candidate {
  readonly gpu: string;
  readonly costPerHourUsd: number;
  /** RunPod's catalog shows no stock. That is a hint of a moment ago, so the candidate keeps its place. */
  readonly outOfStock?: true;
}

/** A GPU that is not rented, and a short text for people that says why. */
export interface PassedOver {
  readonly gpu: string;
  readonly reason: string;
}

export interface Choice {
  readonly candidates: readonly Candidate[];
  readonly tooDear: readonly PassedOver[];
  /** RunPod has no such GPU, or not in that cloud. */
  readonly notOffered: readonly PassedOver[];
}

/** Holds a wish against RunPod's catalog as it is now. Every GPU of the wish is in exactly one of the lists, in its order. */
export function chooseGpus(catalog: readonly GpuOffer[], wish: GpuWish): Choice {
  const { gpus, gpuCount, cloud, maxPriceUsdPerHour } = wish;
  const candidates: Candidate[] = [];
  const tooDear: PassedOver[] = [];
  const notOffered: PassedOver[] = [];
  for (const gpu of new Set(gpus)) {
    const offer = catalog.find(({ id }) => id === gpu);
    const price = offer && usdPerHour(offer, cloud);
    if (price === undefined) {
      const reason = offer ? `not offered in the ${cloud} cloud` : 'RunPod has no GPU of this id';
      notOffered.push({ gpu, reason });
      continue;
    }
    const costPerHourUsd = price * gpuCount;
    if (costPerHourUsd > maxPriceUsdPerHour) {
      tooDear.push({ gpu, reason: `$${costPerHourUsd} an hour is above the limit of $${maxPriceUsdPerHour}` });
      continue;
    }
    candidates.push({ gpu, costPerHourUsd, ...(offer?.availability === 'NONE' && { outOfStock: true as const }) });
  }
  return { candidates, tooDear, notOffered };
}

export function passedOverText(passedOver: readonly PassedOver[]): string {
  return passedOver.map(({ gpu, reason }) => `${gpu}: ${reason}`).join('; ');
}

/**
 * Why nothing of a wish can be rented; undefined when something can. A price that is too high could be agreed to, a GPU that
 * is not there could not, so the price is what is told first.
 * @param priceLimit who set the limit, such as the field's name
 */
export function refusalOf(
  { candidates, tooDear, notOffered }: Choice,
  catalog: readonly GpuOffer[],
  cloud: Cloud,
  priceLimit: string,
): DevloopError | undefined {
  if (candidates.length > 0) return undefined;
  const reasons = passedOverText([...tooDear, ...notOffered]);
  if (tooDear.length > 0) {
    const message = `${priceLimit}: no candidate is within it (${reasons}). Raise it or name another GPU.`;
    return new DevloopError('PRICE_LIMIT', message);
  }
  const names = similarGpus(catalog, notOffered[0]?.gpu ?? '', cloud).join(', ');
  return new DevloopError('GPU_UNKNOWN', `gpus: ${reasons}. There is for example: ${names}.`);
}

/** GPU ids that the cloud does offer: those like the wanted one, else any. */
function similarGpus(catalog: readonly GpuOffer[], gpu: string, cloud: Cloud): string[] {
  const wanted = gpu.toLowerCase();
  const offered = catalog.filter((offer) => usdPerHour(offer, cloud) !== undefined);
  const near = offered.filter(({ id }) => id.toLowerCase().includes(wanted) || wanted.includes(id.toLowerCase()));
  return (near.length > 0 ? near : offered).slice(0, MAX_SUGGESTIONS).map(({ id }) => id);
}
