import type { WorkflowExecutionDescription, WorkflowStartOptions } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contract/index.js';

const key = <N extends keyof typeof SEARCH_ATTRIBUTES>(name: N) => ({ name, type: SEARCH_ATTRIBUTES[name] });
const KEYS = {
  session: key('DevloopSession'),
  project: key('DevloopProject'),
  phase: key('DevloopPhase'),
  podId: key('DevloopPodId'),
  costUsd: key('DevloopCostUsd'),
};

/** Search attributes as a listing shows them. */
export interface ListedAttributes {
  readonly session: string | undefined;
  readonly project: string | undefined;
  readonly phase: string | undefined;
  readonly podId: string | undefined;
  readonly costUsd: number | undefined;
}

/** What a workflow starts with. */
export function startAttributes(
  session: string,
  project: string | undefined,
  phase?: string,
): NonNullable<WorkflowStartOptions['typedSearchAttributes']> {
  return [
    { key: KEYS.session, value: session },
    ...(phase === undefined ? [] : [{ key: KEYS.phase, value: phase }]),
    ...(project === undefined ? [] : [{ key: KEYS.project, value: project }]),
  ];
}

export function listedAttributes(attributes: WorkflowExecutionDescription['typedSearchAttributes']): ListedAttributes {
  return {
    session: attributes.get(KEYS.session),
    project: attributes.get(KEYS.project),
    phase: attributes.get(KEYS.phase),
    podId: attributes.get(KEYS.podId),
    costUsd: attributes.get(KEYS.costUsd),
  };
}
