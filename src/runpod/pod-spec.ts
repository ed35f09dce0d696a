import { type ApiKind, GATE_PORTS } from '../contract/index.js';
import { RunPodError } from './errors.js';
import { type PodScripts, podScriptsVariable } from './pod-scripts.js';
import type { Cloud, CreatePodSpec } from './types.js';

export interface PodNeeds {
  podName: string;
  gpuId: string;
  gpuCount: number;
  cloud: Cloud;
  /** Exactly one of the two. */
  image?: string | undefined;
  templateId?: string | undefined;
  diskGb: number;
  dataCenterIds?: readonly string[] | undefined;
  networkVolumeId?: string | undefined;
  api: ApiKind;
  /** What the pod's scripts read. RunPod shows it to every holder of the account's key. */
  env: Readonly<Record<string, string>>;
  scripts: PodScripts;
}

/** RunPod's documentation: a pod has at most 50 environment variables. */
const maxVariables = 50;
/** Where RunPod's images and templates expect a volume. */
const volumePath = '/workspace';

/**
 * The request that creates a pod for a session.
 * @throws RunPodError `bad-request`, before anything is sent, for what RunPod would refuse or we must not ask.
 */
export function buildPodSpec(needs: PodNeeds): CreatePodSpec {
  const { image, templateId, networkVolumeId, dataCenterIds } = needs;
  if ((image === undefined) === (templateId === undefined)) refuse('give either an image or a templateId');
  if (networkVolumeId !== undefined && needs.cloud !== 'SECURE') {
    refuse('a network volume exists in the Secure Cloud only: set cloud to SECURE or leave networkVolumeId out');
  }
  const env = { ...needs.env, [podScriptsVariable]: needs.scripts.packed };
  for (const name of Object.keys(needs.env)) {
    // RunPod sets these itself, the pod's own API key among them; a set one would shadow it.
    if (/^RUNPOD_/i.test(name)) refuse(`the environment variable ${name} belongs to RunPod: choose another name`);
    if (name === podScriptsVariable) refuse(`the environment variable ${name} is set by Devloop itself`);
  }
  if (Object.keys(env).length > maxVariables) {
    refuse(`${Object.keys(env).length} environment variables, but RunPod takes at most ${maxVariables}`);
  }
  return {
    name: needs.podName,
    ...(image === undefined ? {} : { image }),
    ...(templateId === undefined ? {} : { templateId }),
    gpu: { id: needs.gpuId, count: needs.gpuCount },
    cloud: needs.cloud,
    disk: needs.diskGb,
    ports: [`${GATE_PORTS[needs.api]}/http`],
    env,
    args: needs.scripts.args,
    ...(dataCenterIds !== undefined && dataCenterIds.length > 0 ? { dataCenterIds: [...dataCenterIds] } : {}),
    ...(networkVolumeId === undefined
      ? {}
      : { mounts: { network: [{ volumeId: networkVolumeId, path: volumePath }] } }),
  };
}

function refuse(detail: string): never {
  throw new RunPodError({ kind: 'bad-request', operation: 'create-pod', detail });
}
