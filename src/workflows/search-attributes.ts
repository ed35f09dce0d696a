import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';

const keywords = {
  DevloopSession: defineSearchAttributeKey('DevloopSession', SearchAttributeType.KEYWORD),
  DevloopProject: defineSearchAttributeKey('DevloopProject', SearchAttributeType.KEYWORD),
  DevloopPhase: defineSearchAttributeKey('DevloopPhase', SearchAttributeType.KEYWORD),
  DevloopPodId: defineSearchAttributeKey('DevloopPodId', SearchAttributeType.KEYWORD),
} as const;
const costUsd = defineSearchAttributeKey('DevloopCostUsd', SearchAttributeType.DOUBLE);

export type ShownAttributes = Partial<Record<keyof typeof keywords, string | undefined>> & { DevloopCostUsd?: number };

/** Upserts what has changed: an upsert costs an event, and whoever started the workflow may have set some already. */
export function showAttributes(shown: ShownAttributes): void {
  const known = workflowInfo().typedSearchAttributes;
  const changed: SearchAttributePair[] = [];
  for (const [name, key] of Object.entries(keywords) as [keyof typeof keywords, (typeof keywords)['DevloopPhase']][]) {
    const value = shown[name];
    if (value !== undefined && known.get(key) !== value) changed.push({ key, value });
  }
  if (shown.DevloopCostUsd !== undefined) changed.push({ key: costUsd, value: shown.DevloopCostUsd });
  if (changed.length > 0) upsertSearchAttributes(changed);
}
