import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { PodRecord } from '../core/pod.js';

/** Where the data directory holds what. */
export const podsFolder = (dataDir: string): string => path.join(dataDir, 'pods');
export const podFolder = (dataDir: string, podId: string): string => path.join(podsFolder(dataDir), podId);

/** A volume's id comes from the caller: only harmless characters become a path, encoded so that no two ids meet. */
const volumeFolder = (dataDir: string, volumeId: string): string =>
  path.join(dataDir, 'volumes', encodeURIComponent(volumeId).replaceAll('.', '%2E'));

/**
 * Makes a pod's disk ready for a new container: `workspace` is the mount, everything else is the container disk, which
 * RunPod wipes at every start. Without a mount the workspace belongs to the container disk. A network volume outlives the pod.
 */
export async function prepareDisk(dataDir: string, pod: Readonly<PodRecord>): Promise<void> {
  const folder = podFolder(dataDir, pod.id);
  await mkdir(folder, { recursive: true });
  const kept = pod.mounts.persistent ? ['workspace'] : [];
  for (const entry of await readdir(folder)) {
    if (!kept.includes(entry)) await rm(path.join(folder, entry), { recursive: true, force: true });
  }
  await mkdir(path.join(folder, 'tmp'));
  const workspace = path.join(folder, 'workspace');
  const volumeId = pod.mounts.network?.[0]?.volumeId;
  if (volumeId === undefined) {
    await mkdir(workspace, { recursive: true });
    return;
  }
  const volume = volumeFolder(dataDir, volumeId);
  await mkdir(volume, { recursive: true });
  await symlink(volume, workspace);
}

/** An ended pod's disk is destroyed. A file that a dying process still writes makes a second try necessary. */
export const destroyDisk = (dataDir: string, podId: string): Promise<void> =>
  rm(podFolder(dataDir, podId), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
