import { createHmac } from 'node:crypto';

/** The bearer token of a pod's gate. Whoever has the secret derives it from the pod's name, so that it is never stored. */
export function gateToken(secret: string, podName: string): string {
  return createHmac('sha256', secret).update(podName).digest('base64url');
}
