import { costBetween, currentRate, totalOf } from './billing.js';
import { cpuFlavors, currentGpuType, type GpuType } from './catalog.js';
import { Problem } from './http.js';
import { provision } from './lifecycle.js';
import { httpPorts, type Destiny, type PodRecord } from './pod.js';
import { randomText } from './random.js';
import { type CreatePodRequest } from './schemas.js';
import { defaultDiskGb, templateForPod } from './templates.js';
import type { World } from './world.js';

/** The wording seen on the real v2 API: the only thing that tells no capacity from a broken rule. */
export const noCapacity = (): Problem =>
  new Problem(
    400,
    'There are no longer any instances available with the requested specifications. Please refresh and try again.',
  );

export const noBalance = (): Problem => new Problem(402, 'Insufficient balance to create this pod.');

/** RunPod's documentation: at most 10 http ports a pod. */
const maxHttpPorts = 10;

/** Settings of the template where the body has none; `env` merged by key, the body's values win. */
function withTemplate(world: World, request: CreatePodRequest): CreatePodRequest {
  if (request.templateId === undefined) return request;
  const template = templateForPod(world, request.templateId);
  const constrained = request.gpu?.allowedCudaVersions !== undefined || request.gpu?.minCudaVersion !== undefined;
  return {
    ...request,
    image: request.image ?? template.image,
    args: request.args ?? template.args,
    disk: request.disk ?? template.disk,
    ports: request.ports ?? template.ports,
    registry: request.registry ?? template.registry,
    env: { ...template.env, ...request.env },
    mounts: request.mounts ?? (request.cpu ? undefined : template.mounts),
    startJupyter: request.startJupyter ?? template.startJupyter,
    gpu:
      request.gpu && !constrained ? { ...request.gpu, allowedCudaVersions: template.allowedCudaVersions } : request.gpu,
  };
}

/** RunPod REST v2, CreatePodRequest: rules between fields are a 400, the missing image a 422. */
function checkRules(request: CreatePodRequest): void {
  if (request.image === undefined) {
    throw new Problem(422, 'Request validation failed.', { errors: ["$: missing property 'image'"] });
  }
  if ((request.gpu === undefined) === (request.cpu === undefined)) {
    throw new Problem(400, 'exactly one of gpu or cpu must be set');
  }
  if (request.mounts?.persistent && request.mounts.network?.length) {
    throw new Problem(400, 'mounts.persistent and mounts.network are mutually exclusive');
  }
  if (request.mounts?.persistent && request.cpu) {
    throw new Problem(400, 'mounts.persistent is not available on CPU pods');
  }
  if (request.gpu?.allowedCudaVersions?.length && request.gpu.minCudaVersion !== undefined) {
    throw new Problem(400, 'gpu.allowedCudaVersions and gpu.minCudaVersion are mutually exclusive');
  }
  if (request.mounts?.network?.length && request.cloud === 'COMMUNITY') {
    throw new Problem(400, 'network volumes are only available on SECURE cloud');
  }
  const http = httpPorts({ ports: request.ports ?? [] });
  if (http.length > maxHttpPorts) throw new Problem(400, `maximum ${maxHttpPorts} http ports, got ${http.length}`);
}

const asNumbers = (version: string): number[] => version.split('.').map(Number);

/** Numerically, so that 12.11 is above 12.2. */
export function atLeastVersion(version: string, floor: string): boolean {
  const [major = 0, minor = 0] = asNumbers(version);
  const [floorMajor = 0, floorMinor = 0] = asNumbers(floor);
  return major > floorMajor || (major === floorMajor && minor >= floorMinor);
}

interface Placement {
  readonly dataCenterId: string;
  readonly cudaVersion: string | null;
  readonly computeUsdPerHour: number;
}

function cudaFor(type: GpuType, gpu: NonNullable<CreatePodRequest['gpu']>): string | null {
  const { allowedCudaVersions = [], minCudaVersion } = gpu;
  const fitting = type.cudaVersions.filter(
    (version) =>
      (allowedCudaVersions.length === 0 || allowedCudaVersions.includes(version)) &&
      (minCudaVersion === undefined || atLeastVersion(version, minCudaVersion)),
  );
  const constrained = allowedCudaVersions.length > 0 || minCudaVersion !== undefined;
  if (constrained && fitting.length === 0) throw noCapacity();
  return fitting.at(-1) ?? null;
}

/** Data centres are called preferred by the specification and enforced in fact: outside of them there is no capacity. */
function place(world: World, request: CreatePodRequest): Placement {
  const wanted = request.dataCenterIds ?? [];
  if (request.cpu) {
    const flavor = cpuFlavors[request.cpu.id];
    if (!flavor) throw new Problem(400, `cpu '${request.cpu.id}' is not a CPU flavor of the catalog`);
    const computeUsdPerHour = flavor.usdPerVcpuHour * request.cpu.vcpuCount;
    return { dataCenterId: wanted[0] ?? 'US-KS-2', cudaVersion: null, computeUsdPerHour };
  }
  const gpu = request.gpu ?? { id: '' };
  const type = currentGpuType(gpu.id, world.settings);
  if (!type) throw new Problem(400, `gpu '${gpu.id}' is not a GPU type of the catalog`);
  const count = gpu.count ?? 1;
  const dataCenterId = type.dataCenterIds.find((id) => wanted.length === 0 || wanted.includes(id));
  if (type.availability === 'NONE' || count > type.maxCount[request.cloud] || dataCenterId === undefined) {
    throw noCapacity();
  }
  return {
    dataCenterId,
    cudaVersion: cudaFor(type, gpu),
    computeUsdPerHour: type.priceUsd[request.cloud] * count,
  };
}

/** Credit left, in USD; Infinity where no balance is set. */
export function balanceLeftUsd(world: World, nowMs: number): number {
  const { balanceUsd } = world.settings;
  if (balanceUsd === null) return Infinity;
  const spent = [...world.pods.values()].map((pod) => totalOf(costBetween(pod, world.balanceSetAtMs, nowMs)));
  return balanceUsd - spent.reduce((sum, amount) => sum + amount, 0);
}

function newPodId(world: World): string {
  for (;;) {
    const id = randomText(world.random, 14);
    if (!world.pods.has(id)) return id;
  }
}

/** Makes the pod that is asked for and starts its life, or throws the refusal. A pod needs credit for its first hour. */
export function createPod(world: World, body: CreatePodRequest, destiny: () => Destiny, nowMs: number): PodRecord {
  const request = withTemplate(world, body);
  checkRules(request);
  const placement = place(world, request);
  if (balanceLeftUsd(world, nowMs) < placement.computeUsdPerHour) throw noBalance();
  const env = { ...request.env };
  if (request.startJupyter) env.JUPYTER_PASSWORD ??= randomText(world.random, 20);
  const flavor = request.cpu && cpuFlavors[request.cpu.id];
  const pod: PodRecord = {
    id: newPodId(world),
    serial: world.pods.size + 1,
    name: request.name,
    status: 'PROVISIONING',
    image: request.image ?? '',
    args: request.args ?? '',
    disk: request.disk ?? defaultDiskGb,
    mounts: request.mounts ?? {},
    ports: request.ports ?? [],
    env,
    registry: request.registry ?? null,
    ...(request.gpu ? { gpu: { id: request.gpu.id, count: request.gpu.count ?? 1 } } : {}),
    ...(request.cpu && flavor
      ? { cpu: { ...request.cpu, memory: request.cpu.vcpuCount * flavor.memoryGbPerVcpu } }
      : {}),
    cloud: request.cloud,
    ...placement,
    locked: false,
    globalNetworking: request.globalNetworking,
    createdAtMs: nowMs,
    startedAtMs: null,
    terminatedAtMs: null,
    next: null,
    container: { generation: 0, upSinceMs: null, startAtMs: null, crashAtMs: null, endsInARow: 0 },
    rates: [],
    apiKey: `rpa_${randomText(world.random, 40, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')}`,
    destiny: destiny(),
  };
  pod.rates.push({ fromSecond: 0, ...currentRate(pod) });
  world.pods.set(pod.id, pod);
  provision(world, pod, nowMs);
  return pod;
}
