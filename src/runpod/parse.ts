import * as z from 'zod';
import { type GpuOffer, type Pod, type PodStatus, podStatuses, type StockLevel, stockLevels } from './types.js';

/** Called with a short sentence about a shape that the specification does not have. */
export type OnOdd = (what: string) => void;

const text = z.string().catch('');
const optionalText = z.string().min(1).optional().catch(undefined);
/** Number or numeric string; older RunPod answers send costs as text. */
export const numeric = z.union([z.number(), z.string().trim().min(1).transform(Number)]).pipe(z.number());
const optionalNumber = numeric.optional().catch(undefined);

/** Only `id` must be there: an answer that we half understand must not hide a pod. */
const podSchema = z.object({
  id: z.string().min(1),
  name: text,
  status: text,
  image: text,
  gpu: z
    .object({ id: z.string(), count: numeric.catch(1) })
    .optional()
    .catch(undefined),
  cloud: optionalText,
  dataCenterId: optionalText,
  cost: optionalNumber,
  mounts: z
    .object({ persistent: z.object({ size: numeric }).nullish() })
    .optional()
    .catch(undefined),
  ports: z.array(z.string()).catch([]),
  env: z.record(z.string(), z.coerce.string()).catch({}),
  locked: z.boolean().catch(false),
  createdAt: z.string().nullish().catch(undefined),
  startedAt: z.string().nullish().catch(undefined),
  runtime: z.object({ uptime: optionalNumber }).optional().catch(undefined),
});

/** @throws Error with a short message when it is no pod at all. */
export function parsePod(value: unknown, onOdd: OnOdd): Pod {
  const { data } = podSchema.safeParse(value);
  if (data === undefined) throw new Error('a pod without an id');
  const status = (podStatuses as readonly string[]).includes(data.status) ? (data.status as PodStatus) : 'UNKNOWN';
  if (status === 'UNKNOWN') onOdd(`pod status ${JSON.stringify(data.status.slice(0, 40))}`);
  const time = (field: 'createdAt' | 'startedAt'): string | undefined => {
    const raw = data[field];
    if (raw === undefined || raw === null || raw === '') return undefined;
    const iso = isoTime(raw);
    if (iso === undefined) onOdd(`pod ${field} ${JSON.stringify(raw.slice(0, 60))}`);
    return iso;
  };
  return withoutUndefined({
    id: data.id,
    name: data.name,
    status,
    image: data.image,
    gpu: data.gpu,
    cloud: data.cloud,
    dataCenterId: data.dataCenterId,
    costPerHourUsd: data.cost,
    volumeGb: data.mounts && (data.mounts.persistent?.size ?? 0),
    ports: data.ports,
    env: data.env,
    locked: data.locked,
    createdAt: time('createdAt'),
    startedAt: time('startedAt'),
    uptimeSeconds: data.runtime?.uptime,
  });
}

const pageSchema = z.object({
  pods: z.array(z.unknown()),
  pagination: z
    .object({ nextCursor: z.union([z.string(), z.number()]).nullish(), hasNextPage: z.boolean().nullish() })
    .nullish(),
});

/** One page of `GET /pods`; `next` is the cursor of the page after it. @throws Error when any part cannot be read. */
export function parsePodPage(value: unknown, onOdd: OnOdd): { pods: Pod[]; next?: string } {
  const { data } = pageSchema.safeParse(value);
  if (data === undefined) throw new Error('a list of pods without readable "pods" or "pagination"');
  const pods = data.pods.map((pod) => parsePod(pod, onOdd));
  const { nextCursor, hasNextPage } = data.pagination ?? {};
  const hasCursor = nextCursor !== undefined && nextCursor !== null && nextCursor !== '';
  if (hasNextPage === true && !hasCursor) throw new Error('a list of pods that goes on without a cursor');
  return hasCursor && hasNextPage !== false ? { pods, next: String(nextCursor) } : { pods };
}

const gpuSchema = z.object({
  id: z.string().min(1),
  name: optionalText,
  memory: numeric.catch(0),
  secure: z.boolean().catch(true),
  community: z.boolean().catch(true),
  price: z.object({ secure: optionalNumber, community: optionalNumber }).catch({}),
  availability: text,
});

/** RunPod REST v2, `GpuType`. @throws Error when it has no id. */
export function parseGpu(value: unknown): GpuOffer {
  const { data } = gpuSchema.safeParse(value);
  if (data === undefined) throw new Error('a GPU without an id');
  const price = (offered: boolean, usd: number | undefined) =>
    offered && usd !== undefined && usd > 0 ? usd : undefined;
  return withoutUndefined({
    id: data.id,
    displayName: data.name ?? data.id,
    memoryGb: data.memory,
    secureUsdPerHour: price(data.secure, data.price.secure),
    communityUsdPerHour: price(data.community, data.price.community),
    availability: (stockLevels as readonly string[]).includes(data.availability)
      ? (data.availability as StockLevel)
      : ('UNKNOWN' as const),
  });
}

const gpuListSchema = z.object({ gpus: z.array(z.unknown()) });

/** `GET /catalog/gpus`. @throws Error when it cannot be read. */
export function parseGpus(value: unknown): GpuOffer[] {
  const { data } = gpuListSchema.safeParse(value);
  if (data === undefined) throw new Error('a GPU catalog without "gpus"');
  return data.gpus.map(parseGpu);
}

/** ISO 8601 UTC out of RFC 3339 or Go's text form (`2025-12-16 17:44:56.715 +0000 UTC`); undefined when it is neither. */
export function isoTime(raw: string): string | undefined {
  const go = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d)\b/.exec(raw);
  const ms = Date.parse(go === null ? raw : `${go[1]}T${go[2]}${go[3]}:${go[4]}`);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Optional fields are absent rather than undefined, so that a pod looks the same before and after JSON. */
function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
