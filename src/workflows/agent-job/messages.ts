import { defineQuery, defineSignal } from '@temporalio/workflow';
import { JOB_SIGNALS, STATUS_QUERY, type Grant, type JobStatus, type LeaseRevoked } from '../../contract/index.js';

export const leaseGrantedSignal = defineSignal<[Grant]>(JOB_SIGNALS.leaseGranted);
export const leaseRevokedSignal = defineSignal<[LeaseRevoked]>(JOB_SIGNALS.leaseRevoked);
export const jobStatusQuery = defineQuery<JobStatus>(STATUS_QUERY);
