import { usdPerHour, type Cloud, type GpuOffer } from '../runpod/index.js';
import { readCatalog } from './catalog.js';
import { surroundings } from './connect.js';
import { formatUsd } from './duration.js';
import { Interrupt } from './interrupt.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import { accountAccess } from './runpod-account.js';
import { renderTable } from './table.js';

export interface GpuSearch {
  /** Text in the id or the name, whatever case. */
  readonly filter: string | undefined;
  /** Undefined: what either cloud offers. */
  readonly cloud: Cloud | undefined;
  readonly maxPriceUsdPerHour: number | undefined;
}

const HEADER = ['GPU', 'MEMORY', 'SECURE', 'COMMUNITY', 'STOCK'] as const;

export async function showGpus(search: GpuSearch, out: Output): Promise<void> {
  const { config } = surroundings();
  const access = accountAccess(config);
  const interrupt = new Interrupt(out);
  const progress = await Progress.create(out);
  try {
    out.note(out.colors.dim(`RunPod: ${access.label}`));
    const query = search.cloud === undefined ? {} : { cloud: search.cloud };
    const gpus = matchingGpus(await readCatalog(access, query, progress, interrupt.signal), search);
    const table = gpus.length === 0 ? 'no GPU matches' : renderTable(HEADER, gpus.map(gpuRow));
    out.result({ gpus: gpus.map(gpuDocument) }, table);
    out.note(out.colors.dim(`US dollars an hour for one GPU; stock in the ${search.cloud ?? 'SECURE'} cloud.`));
  } finally {
    progress.clear();
    interrupt.dispose();
  }
}

/** Cheapest first; what has no price comes last. Exported for its test. */
export function matchingGpus(
  catalog: readonly GpuOffer[],
  { filter, cloud, maxPriceUsdPerHour }: GpuSearch,
): GpuOffer[] {
  const wanted = filter?.toLowerCase() ?? '';
  const price = (gpu: GpuOffer): number => {
    const prices = (cloud === undefined ? (['SECURE', 'COMMUNITY'] as const) : [cloud]).map((c) => usdPerHour(gpu, c));
    return Math.min(...prices.map((usd) => usd ?? Infinity));
  };
  return catalog
    .filter(({ id, displayName }) => `${id}\n${displayName}`.toLowerCase().includes(wanted))
    .filter((gpu) => cloud === undefined || price(gpu) < Infinity)
    .filter((gpu) => maxPriceUsdPerHour === undefined || price(gpu) <= maxPriceUsdPerHour)
    .sort((a, b) => price(a) - price(b) || a.id.localeCompare(b.id));
}

function gpuRow(gpu: GpuOffer): string[] {
  const { id, memoryGb, secureUsdPerHour, communityUsdPerHour, availability } = gpu;
  const usd = (price: number | undefined): string => (price === undefined ? '-' : formatUsd(price));
  return [id, `${memoryGb} GB`, usd(secureUsdPerHour), usd(communityUsdPerHour), availability];
}

function gpuDocument(gpu: GpuOffer) {
  const { id, displayName, memoryGb, secureUsdPerHour = null, communityUsdPerHour = null, availability } = gpu;
  return { id, name: displayName, memoryGb, secureUsdPerHour, communityUsdPerHour, stock: availability };
}
