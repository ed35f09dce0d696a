import { setCurrentDetails, upsertMemo } from '@temporalio/workflow';
import { MEMO_KEYS, type SessionRecord } from '../../contract/index.js';
import { showAttributes } from '../search-attributes.js';
import type { SessionState } from './session-state.js';
import { sessionDetails } from './session-view.js';

/** Costs no event: the server asks a worker for the details when somebody looks. */
export function showDetails(state: SessionState): void {
  setCurrentDetails(sessionDetails(state.data, Date.now()));
}

/** Shows the session in Temporal's Web UI and its lists. */
export function publish(state: SessionState): void {
  const { spec, phase, pod } = state.data;
  showDetails(state);
  showAttributes({
    DevloopSession: spec.session,
    DevloopProject: spec.project,
    DevloopPhase: phase,
    DevloopPodId: pod?.id,
  });
}

export function publishRecord(state: SessionState, record: SessionRecord): void {
  showDetails(state);
  showAttributes({ DevloopPhase: 'stopped', DevloopCostUsd: record.costUsd });
  upsertMemo({ [MEMO_KEYS.record]: record });
}
