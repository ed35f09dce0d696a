import { proxyActivities } from '@temporalio/workflow';
import type { WebhookActivities } from '../../activities/webhook.js';
import { TASK_QUEUES, type WebhookEvent } from '../../contract/index.js';

/** A listener that is down for longer has other worries; the event stays in this workflow's history. */
const TRY_FOR = '24 hours';

const { deliverWebhook } = proxyActivities<WebhookActivities>({
  taskQueue: TASK_QUEUES.control,
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: TRY_FOR,
  retry: { initialInterval: '2 seconds', maximumInterval: '10 minutes' },
});

/** Delivers one event, beside whoever has it: a listener that is down holds up no session. */
export async function Webhook(event: WebhookEvent): Promise<void> {
  await deliverWebhook(event);
}
