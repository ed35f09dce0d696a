/** Statuses of RunPod REST v2, `PodStatus`; `UNKNOWN` stands for any word that the specification does not have. */
export const podStatuses = ['PROVISIONING', 'STARTING', 'RUNNING', 'EXITED', 'ERROR', 'TERMINATED'] as const;
export type PodStatus = (typeof podStatuses)[number] | 'UNKNOWN';

export type Cloud = 'SECURE' | 'COMMUNITY';

/**
 * A pod as RunPod shows it (REST v2, `Pod`), read leniently. `env` holds the gate's token: never log a Pod and never
 * return one from an activity.
 */
export interface Pod {
  id: string;
  name: string;
  status: PodStatus;
  image: string;
  gpu?: { id: string; count: number };
  cloud?: string;
  dataCenterId?: string;
  /** US dollars per hour now; RunPod says 0 for EXITED although its volume still costs. */
  costPerHourUsd?: number;
  /** GB of its own volume, which goes on costing while it is stopped; 0: it has none. */
  volumeGb?: number;
  ports: string[];
  env: Record<string, string>;
  locked: boolean;
  /** ISO 8601 UTC. */
  createdAt?: string;
  /** ISO 8601 UTC. */
  startedAt?: string;
  /** Seconds since the container started; missing while there is no telemetry. */
  uptimeSeconds?: number;
}

/** Exists and can be ended: everything but TERMINATED. What we cannot read is alive. */
export function isAlive(pod: Pod): boolean {
  return pod.status !== 'TERMINATED';
}

/** Pays for its GPU, as far as we can know: a stopped pod pays for its disk only. */
export function isBillingGpu(pod: Pod): boolean {
  return pod.status !== 'TERMINATED' && pod.status !== 'EXITED';
}

/** Will not serve without somebody acting on it. */
export function hasFailed(pod: Pod): boolean {
  return pod.status === 'EXITED' || pod.status === 'ERROR';
}

/** A complete listing of the account's pods: every page was read. Times are milliseconds since the epoch. */
export interface PodListing {
  pods: Pod[];
  /** When its first request was about to leave: what was deleted before this is provably in it or gone. */
  begunAt: number;
  endedAt: number;
  /** RunPod's own clock at the end of it (the answer's `Date`), where it tells. */
  apiTime?: number | undefined;
}

/** The part of RunPod REST v2 `CreatePodRequest` that Devloop sends, as it goes over the wire. */
export interface CreatePodSpec {
  name: string;
  image?: string;
  templateId?: string;
  /** `count` is always sent: without it RunPod was seen to claim that it has no instances. */
  gpu: { id: string; count: number };
  cloud: Cloud;
  /** GB. */
  disk: number;
  /** There is no default: a pod created without ports cannot be reached. */
  ports: string[];
  env: Record<string, string>;
  args: string;
  dataCenterIds?: string[];
  mounts?: { network: { volumeId: string; path: string }[] };
}

export const stockLevels = ['NONE', 'LOW', 'MEDIUM', 'HIGH'] as const;
export type StockLevel = (typeof stockLevels)[number] | 'UNKNOWN';

/** A GPU type of the catalog (RunPod REST v2, `GpuType`). Prices are US dollars per hour for one GPU. */
export interface GpuOffer {
  id: string;
  displayName: string;
  memoryGb: number;
  /** Missing when it is not offered on this cloud. */
  secureUsdPerHour?: number;
  communityUsdPerHour?: number;
  availability: StockLevel;
}

/** The price of one GPU for an hour on that cloud, or undefined when it is not offered there. */
export function usdPerHour(offer: GpuOffer, cloud: Cloud): number | undefined {
  return cloud === 'SECURE' ? offer.secureUsdPerHour : offer.communityUsdPerHour;
}

/** What one pod cost on one day, by RunPod's bill (REST v2, `PodBillingRecord`), in US dollars. */
export interface BilledDay {
  podId: string;
  /** UTC, `2026-11-27`. */
  day: string;
  /** By the price an hour. */
  computeUsd: number;
  /** Beside it, by size. */
  diskUsd: number;
}

export type LogSource = 'container' | 'system';
