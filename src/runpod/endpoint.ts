import { type ApiKind, GATE_PORTS } from '../contract/index.js';

/**
 * The address of a pod's gate, without a trailing slash, out of RUNPOD_PROXY_URL's template, such as
 * `https://{podId}-{port}.proxy.runpod.net`. `port` is the one declared to RunPod.
 */
export function podEndpoint(template: string, podId: string, api: ApiKind): string {
  return template
    .replaceAll('{podId}', encodeURIComponent(podId))
    .replaceAll('{port}', String(GATE_PORTS[api]))
    .replace(/\/+$/, '');
}
