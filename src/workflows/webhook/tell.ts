import { ParentClosePolicy, startChild, uuid4 } from '@temporalio/workflow';
import { WORKFLOW_TYPES, type WebhookEvent } from '../../contract/index.js';
import type { Webhook } from './workflow.js';

type News = WebhookEvent extends infer E ? (E extends WebhookEvent ? Omit<E, 'id' | 'at'> : never) : never;

/** Hands an event to a workflow of its own. Resolves when that has started: nothing is lost when the teller ends. */
export async function tellWebhook(news: News): Promise<void> {
  const id = uuid4();
  const event = { ...news, id, at: new Date(Date.now()).toISOString() } as WebhookEvent;
  try {
    await startChild<typeof Webhook>(WORKFLOW_TYPES.webhook, {
      workflowId: `webhook/${id}`,
      args: [event],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
  } catch {
    // No news is worth the session that a pod depends on.
  }
}
