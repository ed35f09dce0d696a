import { ApplicationFailure, getExternalWorkflowHandle } from '@temporalio/workflow';
import { leaseGrantedSignal, leaseRevokedSignal } from '../agent-job/messages.js';
import type { Outgoing } from './session-data.js';
import type { SessionState } from './session-state.js';

/** Sends what is due to lease holders. Each signal is awaited: one sent as the last act would never arrive. */
export async function deliver(state: SessionState): Promise<void> {
  await Promise.all(state.takeOutbox().map((out) => send(state, out)));
}

async function send(state: SessionState, out: Outgoing): Promise<void> {
  const holder = getExternalWorkflowHandle(out.workflowId);
  try {
    if (out.kind === 'grant') await holder.signal(leaseGrantedSignal, out.grant);
    else await holder.signal(leaseRevokedSignal, out.revoke);
  } catch (error) {
    // Gone, or full: whatever keeps news from one holder must not end the session that a pod depends on.
    if (!(error instanceof ApplicationFailure)) throw error;
    if (out.kind === 'grant') state.holderGone(out.grant.leaseId, Date.now());
  }
}
