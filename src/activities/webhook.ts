import { createHmac } from 'node:crypto';
import axios, { isAxiosError } from 'axios';
import { SIGNATURE_HEADER, type WebhookEvent } from '../contract/index.js';
import { retryableFailure } from './failures.js';

const TIMEOUT_MS = 10_000;

export interface WebhookActivities {
  /** One POST. Anything but a 2xx answer fails the attempt; Temporal tries again. */
  deliverWebhook: (event: WebhookEvent) => Promise<void>;
}

export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
  readonly userAgent: string;
}

/** @param target undefined: this worker has no webhook; another one may have */
export function createWebhookActivities(target: WebhookTarget | undefined): WebhookActivities {
  return {
    async deliverWebhook(event) {
      if (!target) throw retryableFailure('CONFIG_INVALID', 'this worker has no DEVLOOP_WEBHOOK_URL');
      const body = JSON.stringify(event);
      try {
        await axios.post(target.url, body, {
          headers: {
            'Content-Type': 'application/json',
            'User-Agent': target.userAgent,
            [SIGNATURE_HEADER]: signatureOf(body, target.secret),
          },
          signal: AbortSignal.timeout(TIMEOUT_MS),
          maxRedirects: 0,
        });
      } catch (error) {
        // Axios' own error carries the address, which may be a secret, and the headers.
        throw retryableFailure('CONFIG_INVALID', `the webhook did not take the event: ${whyOf(error)}`);
      }
    },
  };
}

export function signatureOf(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

function whyOf(error: unknown): string {
  if (!isAxiosError(error)) return 'unknown';
  return error.response ? `HTTP ${error.response.status}` : (error.code ?? 'not reached');
}
