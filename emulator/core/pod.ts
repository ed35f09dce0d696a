import { z } from 'zod';
import { clouds } from './catalog.js';

/** RunPod REST v2, PodStatus. */
export const podStatuses = ['PROVISIONING', 'STARTING', 'RUNNING', 'EXITED', 'ERROR', 'TERMINATED'] as const;
export type PodStatus = (typeof podStatuses)[number];

/** RunPod REST v2, PodAction. */
export const podActions = ['start', 'stop', 'restart', 'terminate'] as const;
export type PodAction = (typeof podActions)[number];

const actionsByStatus: Readonly<Record<PodStatus, readonly PodAction[]>> = {
  PROVISIONING: ['stop', 'terminate'],
  STARTING: ['stop', 'terminate'],
  RUNNING: ['stop', 'restart', 'terminate'],
  EXITED: ['start', 'terminate'],
  ERROR: ['start', 'terminate'],
  TERMINATED: [],
};

/** RunPod REST v2, `podAction`: what is legal in which status. */
export const legalActions = (status: PodStatus): readonly PodAction[] => actionsByStatus[status];

/** RunPod REST v2, Pod.cost: 0 when EXITED or TERMINATED. An ERROR pod is not in that list, so it costs. */
export const chargesCompute = (status: PodStatus): boolean => status !== 'EXITED' && status !== 'TERMINATED';

export const isAlive = (pod: PodRecord): boolean => pod.status !== 'TERMINATED';

const timeMs = z.number();

export const mountsSchema = z.strictObject({
  persistent: z.strictObject({ size: z.int().min(10), path: z.string().min(1) }).optional(),
  network: z
    .array(z.strictObject({ volumeId: z.string().min(1), path: z.string().min(1) }))
    .max(1)
    .optional(),
});
export type Mounts = z.infer<typeof mountsSchema>;

/** What a fault at creation made of this pod. It stays with the pod over a restart of the emulator. */
const destinySchema = z.strictObject({
  notFoundUntilMs: timeMs.optional(),
  unlistedUntilMs: timeMs.optional(),
  listedAfterEnd: z.strictObject({ untilMs: timeMs, status: z.enum(podStatuses) }).optional(),
  stuckIn: z.enum(['PROVISIONING', 'STARTING']).optional(),
  imageFailsTo: z.enum(['EXITED', 'ERROR']).optional(),
  crashAfterSeconds: z.number().optional(),
  withoutGpu: z.boolean().optional(),
});
export type Destiny = z.infer<typeof destinySchema>;

/** From `fromSecond` of the pod's life on it costs this much an hour. Whole seconds, because RunPod bills whole seconds. */
const rateSchema = z.strictObject({
  fromSecond: z.int(),
  gpuUsdPerHour: z.number(),
  cpuUsdPerHour: z.number(),
  diskUsdPerHour: z.number(),
});
export type Rate = z.infer<typeof rateSchema>;

/** Everything the account keeps about one pod, ended ones included. Also the form in the ledger file. */
export const podRecordSchema = z.strictObject({
  id: z.string(),
  /** Order of creation; a cursor points at it, so that pages stay right when pods come and go between them. */
  serial: z.int(),
  name: z.string(),
  status: z.enum(podStatuses),
  image: z.string(),
  args: z.string(),
  disk: z.int(),
  mounts: mountsSchema,
  ports: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  registry: z.string().nullable(),
  gpu: z.strictObject({ id: z.string(), count: z.int() }).optional(),
  cpu: z.strictObject({ id: z.string(), vcpuCount: z.int(), memory: z.int() }).optional(),
  cloud: z.enum(clouds),
  dataCenterId: z.string().nullable(),
  cudaVersion: z.string().nullable(),
  locked: z.boolean(),
  globalNetworking: z.boolean(),
  computeUsdPerHour: z.number(),
  createdAtMs: timeMs,
  startedAtMs: timeMs.nullable(),
  terminatedAtMs: timeMs.nullable(),
  /** The status that the clock brings next. */
  next: z.strictObject({ status: z.enum(['STARTING', 'RUNNING']), atMs: timeMs }).nullable(),
  container: z.strictObject({
    /** Rises with every start, so that news about an earlier container is told apart from news about this one. */
    generation: z.int(),
    upSinceMs: timeMs.nullable(),
    startAtMs: timeMs.nullable(),
    crashAtMs: timeMs.nullable(),
    endsInARow: z.int(),
  }),
  rates: z.array(rateSchema).min(1),
  /** The pod-scoped key: it may stop and terminate this pod and nothing else. */
  apiKey: z.string(),
  destiny: destinySchema,
});
export type PodRecord = z.infer<typeof podRecordSchema>;

export interface DeclaredPort {
  readonly number: number;
  readonly protocol: string;
}

/** `11434/http` as number and protocol. A bare number declares no protocol, and the proxy serves `/http` alone. */
export function declaredPorts(pod: Pick<PodRecord, 'ports'>): DeclaredPort[] {
  return pod.ports.map((port) => {
    const [number = '', protocol = ''] = port.split('/');
    return { number: Number(number), protocol };
  });
}

export const httpPorts = (pod: Pick<PodRecord, 'ports'>): number[] =>
  declaredPorts(pod)
    .filter((port) => port.protocol === 'http')
    .map((port) => port.number);
