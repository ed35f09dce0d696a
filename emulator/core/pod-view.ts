import { isoTime } from './http.js';
import { chargesCompute, declaredPorts, legalActions, type PodRecord, type PodStatus } from './pod.js';
import { roundUsd } from './billing.js';

/** A documentation address (RFC 5737): there is no machine behind it. */
const publicIp = '203.0.113.7';

/** The public port of a declared TCP port: another one after every start, as on RunPod. */
const publicTcpPort = (pod: PodRecord, index: number): number =>
  10_000 + ((pod.serial * 131 + pod.container.generation * 17 + index) % 50_000);

const isUp = (pod: PodRecord): boolean => pod.status === 'RUNNING' && pod.container.upSinceMs !== null;

function runtimePorts(pod: PodRecord): { private: number; public: number | null; type: string; ip: string | null }[] {
  if (!isUp(pod)) return [];
  return declaredPorts(pod).map(({ number, protocol }, index) =>
    protocol === 'http'
      ? { private: number, public: null, type: 'http', ip: null }
      : { private: number, public: publicTcpPort(pod, index), type: protocol || 'tcp', ip: publicIp },
  );
}

const sshEndpoint = (host: string, port: number, username: string): unknown => ({
  host,
  port,
  username,
  command: port === 22 ? `ssh ${username}@${host}` : `ssh ${username}@${host} -p ${port}`,
});

/** RunPod REST v2, Pod: all required keys in every status; `runtime` only while RUNNING, `cost` in USD per hour. */
export function podView(pod: PodRecord, nowMs: number, status: PodStatus = pod.status): Record<string, unknown> {
  const ports = runtimePorts(pod);
  const direct = ports.find((port) => port.private === 22 && port.public !== null);
  return {
    id: pod.id,
    name: pod.name,
    status,
    actions: legalActions(status),
    image: pod.image,
    args: pod.args,
    disk: pod.disk,
    mounts: pod.mounts,
    ports: pod.ports,
    env: pod.env,
    registry: pod.registry,
    ...(pod.gpu ? { gpu: pod.gpu } : {}),
    ...(pod.cpu ? { cpu: pod.cpu } : {}),
    cloud: pod.cloud,
    dataCenterId: pod.dataCenterId,
    cudaVersion: pod.cudaVersion,
    ssh: {
      proxy: pod.status === 'PROVISIONING' ? null : sshEndpoint('ssh.runpod.io', 22, `${pod.id}-64411eb2`),
      direct: direct?.public ? sshEndpoint(publicIp, direct.public, 'root') : null,
    },
    // A template is a one-time source of settings: the pod keeps no link to it.
    template: null,
    cost: chargesCompute(status) ? roundUsd(pod.computeUsdPerHour) : 0,
    locked: pod.locked,
    runtime: status === 'RUNNING' ? runtimeView(pod, nowMs, ports) : null,
    createdAt: isoTime(pod.createdAtMs),
    startedAt: pod.startedAtMs === null ? null : isoTime(pod.startedAtMs),
    globalNetworking: pod.globalNetworking
      ? { enabled: true, ip: `10.65.0.${(pod.serial % 250) + 1}`, internalDns: `${pod.id}.runpod.internal` }
      : { enabled: false },
  };
}

/** Utilisation is always 0: nothing may conclude from it that a GPU is unused. */
function runtimeView(pod: PodRecord, nowMs: number, ports: unknown[]): unknown {
  const { upSinceMs } = pod.container;
  return {
    uptime: upSinceMs === null ? 0 : Math.floor((nowMs - upSinceMs) / 1000),
    gpus: Array.from({ length: pod.destiny.withoutGpu ? 0 : (pod.gpu?.count ?? 0) }, () => ({
      util: 0,
      memoryUtil: 0,
    })),
    cpu: { util: 0 },
    memory: { util: 0 },
    ports,
  };
}

/** RunPod documentation, environment variables of a pod: what RunPod adds to the caller's own. */
export function injectedEnvironment(pod: PodRecord): Record<string, string> {
  const volume = pod.mounts.network?.[0]?.volumeId;
  const tcp = runtimePorts(pod).filter((port) => port.type === 'tcp');
  return {
    RUNPOD_POD_ID: pod.id,
    RUNPOD_API_KEY: pod.apiKey,
    RUNPOD_DC_ID: pod.dataCenterId ?? '',
    RUNPOD_POD_HOSTNAME: `${pod.id}-64411eb2`,
    RUNPOD_GPU_COUNT: String(pod.destiny.withoutGpu ? 0 : (pod.gpu?.count ?? 0)),
    RUNPOD_CPU_COUNT: String(pod.cpu?.vcpuCount ?? 8 * (pod.gpu?.count ?? 1)),
    RUNPOD_PUBLIC_IP: publicIp,
    ...(volume === undefined ? {} : { RUNPOD_VOLUME_ID: volume }),
    ...Object.fromEntries(tcp.map((port) => [`RUNPOD_TCP_PORT_${port.private}`, String(port.public)])),
  };
}
