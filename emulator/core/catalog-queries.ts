import { z } from 'zod';
import { clouds, currentGpuType, dataCenters, gpuTypes, type GpuType } from './catalog.js';
import { atLeastVersion } from './create-pod.js';
import { answer, Problem, type CoreReply, type CoreRequest } from './http.js';
import { validated } from './schemas.js';
import type { Settings } from './settings.js';

/** A comma-separated list of such values, or nothing. */
const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((text) => (typeof text === 'string' ? text.split(',') : text), z.array(item).optional());

/** RunPod REST v2, query of `GET /v2/catalog/gpus`. Unknown query keys are ignored. */
const gpuQuery = z.object({
  include: list(z.literal('AVAILABILITY')),
  product: list(z.enum(['POD', 'CLUSTER', 'SERVERLESS'])),
  count: z.coerce.number().int().min(1).optional(),
  cloud: z.enum(clouds).optional(),
  countryCodes: list(z.string().regex(/^[A-Z]{2}$/)),
  cudaVersions: list(z.string().regex(/^\d+\.\d+$/)),
  minCudaVersion: z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .optional(),
});
type GpuQuery = z.infer<typeof gpuQuery>;

function readGpuQuery(query: CoreRequest['query']): GpuQuery {
  const parsed = validated(gpuQuery, query);
  if (parsed.include && !parsed.product) throw new Problem(400, 'include=AVAILABILITY requires product');
  const filters = ['product', 'count', 'cloud', 'countryCodes', 'cudaVersions', 'minCudaVersion'] as const;
  const stray = filters.find((name) => parsed[name] !== undefined);
  if (!parsed.include && stray) throw new Problem(400, `${stray} is valid only with include=AVAILABILITY`);
  if (parsed.cudaVersions && parsed.minCudaVersion) {
    throw new Problem(400, 'cudaVersions and minCudaVersion are mutually exclusive');
  }
  return parsed;
}

/** Stock for what the query asks: data centres that have it and the CUDA versions of their machines. */
function availabilityOf(type: GpuType, query: GpuQuery): Record<string, unknown> {
  const centers = dataCenters.filter(
    (center) =>
      type.dataCenterIds.includes(center.id) &&
      (query.countryCodes === undefined || query.countryCodes.includes(center.countryCode)),
  );
  const versions = type.cudaVersions.filter(
    (version) =>
      (query.cudaVersions === undefined || query.cudaVersions.includes(version)) &&
      (query.minCudaVersion === undefined || atLeastVersion(version, query.minCudaVersion)),
  );
  const constrained = query.cudaVersions !== undefined || query.minCudaVersion !== undefined;
  const impossible =
    centers.length === 0 ||
    (query.count ?? 1) > type.maxCount[query.cloud ?? 'SECURE'] ||
    (constrained && versions.length === 0);
  const availability = impossible ? 'NONE' : type.availability;
  return {
    availability,
    ...(impossible ? {} : { dataCenters: centers.map(({ id, name }) => ({ id, name, availability })) }),
    ...(versions.length > 0
      ? { cudaVersions: versions.map((version) => ({ version, available: availability !== 'NONE' })) }
      : {}),
  };
}

/** RunPod REST v2, GpuType. */
function gpuView(type: GpuType, query: GpuQuery): Record<string, unknown> {
  return {
    id: type.id,
    name: type.name,
    pool: type.pool,
    manufacturer: type.manufacturer,
    memory: type.memoryGb,
    secure: type.maxCount.SECURE > 0,
    community: type.maxCount.COMMUNITY > 0,
    price: {
      secure: type.priceUsd.SECURE,
      community: type.priceUsd.COMMUNITY,
      ...(type.serverlessPriceUsd === undefined ? {} : { serverless: type.serverlessPriceUsd }),
    },
    maxCount: { secure: type.maxCount.SECURE, community: type.maxCount.COMMUNITY },
    ...(query.include ? availabilityOf(type, query) : {}),
  };
}

const marketOf = (settings: Settings): GpuType[] => gpuTypes.flatMap(({ id }) => currentGpuType(id, settings) ?? []);

/** With `countryCodes`, types without a data centre there drop out of the list. */
export function listGpus(settings: Settings, query: CoreRequest['query']): CoreReply {
  const parsed = readGpuQuery(query);
  const countries = parsed.countryCodes;
  const offered = (type: GpuType): boolean =>
    countries === undefined ||
    dataCenters.some((center) => type.dataCenterIds.includes(center.id) && countries.includes(center.countryCode));
  return answer(200, {
    gpus: marketOf(settings)
      .filter(offered)
      .map((type) => gpuView(type, parsed)),
  });
}

export function getGpu(settings: Settings, id: string, query: CoreRequest['query']): CoreReply {
  const parsed = readGpuQuery(query);
  const type = currentGpuType(id, settings);
  if (!type) throw new Problem(404, 'resource not found');
  return answer(200, gpuView(type, parsed));
}

const dataCenterQuery = z.object({
  include: list(z.enum(['GPU_AVAILABILITY', 'CPU_AVAILABILITY'])),
  regions: list(z.string()),
  networkVolumeTypes: list(z.enum(['STANDARD', 'HIGH_PERFORMANCE'])),
  compliance: list(z.string()),
  globalNetwork: z.enum(['true', 'false']).optional(),
});

/** RunPod REST v2, `GET /v2/catalog/datacenters`: regions by OR, volume types and compliance by AND. CPU stock is not emulated. */
export function listDataCenters(settings: Settings, query: CoreRequest['query']): CoreReply {
  const parsed = validated(dataCenterQuery, query);
  const fitting = dataCenters.filter(
    (center) =>
      (parsed.regions?.includes(center.region) ?? true) &&
      (parsed.networkVolumeTypes?.every((type) => center.networkVolumeTypes.includes(type)) ?? true) &&
      (parsed.compliance?.every((name) => center.compliance.includes(name)) ?? true) &&
      (parsed.globalNetwork === undefined || String(center.globalNetwork) === parsed.globalNetwork),
  );
  const stock = (id: string): unknown[] =>
    marketOf(settings)
      .filter((type) => type.dataCenterIds.includes(id))
      .map((type) => ({ id: type.id, name: type.name, availability: type.availability }));
  const withStock = parsed.include?.includes('GPU_AVAILABILITY') ?? false;
  return answer(200, {
    dataCenters: fitting.map((center) => ({
      id: center.id,
      name: center.name,
      region: center.region,
      globalNetwork: center.globalNetwork,
      networkVolumeTypes: center.networkVolumeTypes,
      compliance: center.compliance,
      ...(withStock ? { gpuAvailability: stock(center.id) } : {}),
    })),
  });
}
