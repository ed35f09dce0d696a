import { DevloopError } from '../contract/index.js';
import { createRunPodClient, isRunPodError, type Cloud, type GpuOffer } from '../runpod/index.js';
import { VERSION } from '../version.js';
import type { Progress } from './progress.js';

/** Whose catalog is read: RunPod's, or an emulator's. */
export interface CatalogAccess {
  readonly apiUrl: string;
  readonly apiKey: string;
}

export interface CatalogQuery {
  /** What the stock is asked for. RunPod's own default: one GPU in the Secure Cloud. */
  readonly cloud?: Cloud;
  readonly count?: number;
}

/**
 * The GPU catalog with live prices and stock.
 * @throws DevloopError `RUNPOD_UNAUTHORIZED`, `RUNPOD_REFUSED`, `RUNPOD_UNREACHABLE`; the signal's reason when it is aborted
 */
export async function readCatalog(
  { apiUrl, apiKey }: CatalogAccess,
  query: CatalogQuery,
  progress: Progress,
  signal?: AbortSignal,
): Promise<GpuOffer[]> {
  const client = createRunPodClient({ apiUrl, apiKey, userAgent: `devloop/${VERSION}` });
  progress.start('catalog', "reading RunPod's prices");
  try {
    const catalog = await client.listGpus({ ...query, signal });
    progress.finish('catalog');
    return catalog;
  } catch (error) {
    progress.clear();
    signal?.throwIfAborted();
    if (!isRunPodError(error)) throw error;
    throw catalogFailure(error.kind, error.message, apiUrl);
  }
}

function catalogFailure(kind: string, message: string, apiUrl: string): DevloopError {
  switch (kind) {
    case 'unauthorized':
    case 'not-allowed':
      return new DevloopError(
        'RUNPOD_UNAUTHORIZED',
        `${message}. Make a new key in RunPod's console with read and write access to pods.`,
      );
    case 'bad-request':
    case 'gone':
    case 'api-retired':
      return new DevloopError('RUNPOD_REFUSED', `${message}. Check RUNPOD_API_URL (${apiUrl}).`);
    default:
      return new DevloopError('RUNPOD_UNREACHABLE', `${message}. Check RUNPOD_API_URL (${apiUrl}) and the network.`);
  }
}
