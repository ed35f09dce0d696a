import { createHmac } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';

/** What of the lease a runner needs; it has more. */
export interface Lease {
  readonly podName: string;
  readonly endpoint: string;
  readonly model: string;
}

/** What the pod's gate wants to see. The secret is that of Devloop's workers. */
export function headersFor({ podName }: Lease): Record<string, string> {
  const secret = process.env.DEVLOOP_GATE_SECRET ?? '';
  const token = createHmac('sha256', secret).update(podName).digest('base64url');
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
}

/** A request to the pod. @throws ApplicationFailure `POD_LOST` when it does not answer: Devloop looks, and finds another one */
export async function ask(lease: Lease, path: string, init: RequestInit): Promise<Response> {
  const response = await reach(
    () => fetch(lease.endpoint + path, { ...init, headers: headersFor(lease) }),
    init.signal,
  );
  if (response.ok) return response;
  const said = `the pod answered ${response.status}`;
  if (response.status === 404 || response.status === 502) throw ApplicationFailure.retryable(said, 'POD_LOST');
  if (response.status === 401) throw ApplicationFailure.nonRetryable(`${said}: is DEVLOOP_GATE_SECRET right?`);
  throw new Error(said);
}

/** What a broken connection means, unless the job itself was cancelled. */
export async function reach<T>(work: () => Promise<T>, signal?: AbortSignal | null): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    throw ApplicationFailure.retryable(`no connection to the pod: ${String(error)}`, 'POD_LOST');
  }
}
