import type { HttpResponse } from './http.js';
import { isRunPodError, RunPodError, type Operation } from './errors.js';
import type { Cloud } from './types.js';

/** What the catalog is asked for: stock of pods, by cloud and number of GPUs. */
export function stockQuery(options: { cloud?: Cloud; count?: number }) {
  return { include: 'AVAILABILITY', product: 'POD', cloud: options.cloud, count: options.count };
}

/** Values that an answer must not bring back into an error: RunPod may quote the request. */
export function secretsIn(env: Record<string, string>): string[] {
  return Object.entries(env).flatMap(([name, value]) => (/TOKEN|SECRET|KEY|PASSWORD/i.test(name) ? [value] : []));
}

/** Undefined where RunPod knows no such thing. */
export async function unlessGone(call: Promise<HttpResponse>): Promise<HttpResponse | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isRunPodError(error) && error.kind === 'gone') return undefined;
    throw error;
  }
}

/** An HTTP date as epoch milliseconds. */
export function timeOf(date: string | undefined): number | undefined {
  const at = Date.parse(date ?? '');
  return Number.isNaN(at) ? undefined : at;
}

export function aborted(operation: Operation): RunPodError {
  return new RunPodError({ kind: 'aborted', operation, detail: 'given up by the caller' });
}
