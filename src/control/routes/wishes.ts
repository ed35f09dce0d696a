import type { Asked } from '../../client/index.js';
import { DevloopError } from '../../contract/index.js';

/** How something stands that was just asked to end. Without a worker nobody can say; the wish is in Temporal all the same. */
export async function wishIsKept<T>(asked: Asked, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (asked === 'had-ended' || !(error instanceof DevloopError) || error.code !== 'NO_WORKER') throw error;
    throw new DevloopError('NO_WORKER', `asked to end, which the next worker will see to: ${error.message}`);
  }
}
