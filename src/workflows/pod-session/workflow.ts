import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  continueAsNew,
  setHandler,
  workflowInfo,
  type SignalDefinition,
} from '@temporalio/workflow';
import type * as z from 'zod';
import {
  acquireLeaseSchema,
  REQUEST_LEASE_UPDATE,
  podSessionInputSchema,
  releaseLeaseSchema,
  renewLeaseSchema,
  reportPodSchema,
  stopSchema,
  type AcquiredLease,
  type AcquireLease,
  type PodSessionInput,
  type SessionRecord,
} from '../../contract/index.js';
import { checkedInput, checkedSignal, orFailure } from '../checked.js';
import { tellWebhook } from '../webhook/tell.js';
import {
  acquireLeaseSignal,
  releaseLeaseSignal,
  renewLeaseSignal,
  reportPodSignal,
  requestLeaseUpdate,
  sessionRecordQuery,
  sessionStatusQuery,
  stopSignal,
} from './messages.js';
import { drain, endPod, providePod, serve } from './phases.js';
import { publishRecord, showDetails } from './publish.js';
import type { SessionData } from './session-data.js';
import { SessionState } from './session-state.js';
import { recordSoFar, sessionRecord, sessionStatus } from './session-view.js';

/**
 * Owns one pod from request to verified termination. Its result is the session's record.
 * @param carried what the run before left when it continued as new; nobody else passes it
 */
export async function PodSession(input: PodSessionInput, carried?: SessionData): Promise<SessionRecord> {
  const spec = checkedInput(podSessionInputSchema, input, 'PodSession input');
  // A session that somebody resets has not begun anew: its start, and with it its hard deadline, stays what it was.
  const { runId, firstExecutionRunId, startTime } = workflowInfo();
  const state = carried
    ? SessionState.resume(carried)
    : SessionState.start(spec, firstExecutionRunId, startTime.getTime());
  state.wasReset = !carried && runId !== firstExecutionRunId;
  handleMessages(state);
  // Cancelling is a request to stop like others: what ends the pod must not be cancelled along with the rest.
  CancellationScope.current().cancelRequested.catch(() => {
    state.requestStop({ kind: 'cancelled', reason: 'the session was cancelled', atMs: Date.now() });
  });
  await CancellationScope.nonCancellable(async () => {
    if (!carried) await providePod(state);
    for (;;) {
      const served = await serve(state);
      if (served === 'continue-as-new') await continueAsNew<typeof PodSession>(input, state.data);
      if (served === 'ended') {
        await drain(state);
        if ((await endPod(state)) === 'ended') return;
      }
      await providePod(state);
    }
  });
  const record = sessionRecord(state.data, Date.now());
  publishRecord(state, record);
  if (state.data.plan?.webhook)
    await CancellationScope.nonCancellable(() => tellWebhook({ event: 'session.stopped', record }));
  return outcome(state, record);
}

function outcome(state: SessionState, record: SessionRecord): SessionRecord {
  const { stop } = state.data;
  if (stop?.kind === 'cancelled') throw new CancelledFailure(stop.reason, [record]);
  if (stop?.kind !== 'failed') return record;
  throw ApplicationFailure.create({
    type: stop.code ?? 'BOOT_FAILED',
    message: stop.reason,
    nonRetryable: true,
    details: [record],
  });
}

function handleMessages(state: SessionState): void {
  const handle = <T extends z.ZodType>(
    signal: SignalDefinition<[z.input<T>]>,
    schema: T,
    change: (message: z.output<T>) => void,
  ): void => {
    setHandler(
      signal,
      checkedSignal(schema, (message) => {
        change(message);
        showDetails(state);
      }),
    );
  };
  handle(acquireLeaseSignal, acquireLeaseSchema, (request) => {
    state.acquire(request, Date.now());
  });
  handle(renewLeaseSignal, renewLeaseSchema, ({ leaseId, lastUsedAt }) => {
    state.renew(leaseId, lastUsedAt === undefined ? undefined : Date.parse(lastUsedAt), Date.now());
  });
  handle(releaseLeaseSignal, releaseLeaseSchema, ({ leaseId }) => {
    state.release(leaseId, Date.now());
  });
  handle(reportPodSignal, reportPodSchema, ({ podId, problem }) => {
    state.suspectPod(podId, problem);
  });
  handle(stopSignal, stopSchema, ({ reason }) => {
    state.requestStop({ kind: 'asked', reason, atMs: Date.now() });
  });
  const checked = (request: AcquireLease): AcquiredLease =>
    checkedInput(acquireLeaseSchema, request, REQUEST_LEASE_UPDATE);
  setHandler(
    requestLeaseUpdate,
    (request: AcquireLease) => {
      const lease = checked(request);
      const answer = orFailure(() => state.request(lease, Date.now()));
      showDetails(state);
      return answer;
    },
    { validator: (request: AcquireLease) => void checked(request) },
  );
  setHandler(sessionStatusQuery, () => sessionStatus(state.data, Date.now()));
  // A workflow's clock stands still between its events: whoever asks brings the time.
  setHandler(sessionRecordQuery, ({ at = '' } = {}) =>
    recordSoFar(state.data, Math.max(Date.now(), Date.parse(at) || 0)),
  );
}
