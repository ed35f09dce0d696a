import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import {
  RECORD_QUERY,
  REQUEST_LEASE_UPDATE,
  SESSION_SIGNALS,
  STATUS_QUERY,
  type AcquireLease,
  type LeaseAnswer,
  type ReleaseLease,
  type RenewLease,
  type ReportPod,
  type SessionRecord,
  type SessionStatus,
  type StopRequest,
} from '../../contract/index.js';

export const acquireLeaseSignal = defineSignal<[AcquireLease]>(SESSION_SIGNALS.acquireLease);
export const renewLeaseSignal = defineSignal<[RenewLease]>(SESSION_SIGNALS.renewLease);
export const releaseLeaseSignal = defineSignal<[ReleaseLease]>(SESSION_SIGNALS.releaseLease);
export const reportPodSignal = defineSignal<[ReportPod]>(SESSION_SIGNALS.reportPod);
export const stopSignal = defineSignal<[StopRequest]>(SESSION_SIGNALS.stop);
export const sessionStatusQuery = defineQuery<SessionStatus>(STATUS_QUERY);
export const sessionRecordQuery = defineQuery<SessionRecord, [{ at?: string }?]>(RECORD_QUERY);
export const requestLeaseUpdate = defineUpdate<LeaseAnswer, [AcquireLease]>(REQUEST_LEASE_UPDATE);
