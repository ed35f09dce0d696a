import type { Payload } from '@temporalio/common';
import type { Command, Fields } from '../runtime/commands.js';
import { job } from '../runtime/job.js';
import { toError } from '../runtime/payloads.js';
import { closeRun, continueAsNew } from './close-run.js';
import { cancelExternal, requestChildCancel, signalExternal, startChild } from './other-workflows.js';
import { PendingActivity } from './pending-activity.js';
import type { Run } from './run.js';
import type { Server } from './server.js';

/** What the server does with one command of a task that it has taken. */
export function applyCommand(server: Server, run: Run, command: Command): void {
  switch (command.kind) {
    case 'startTimer':
      startTimerAt(server, run, command.seq, command.ms, server.clock.nowMs);
      break;
    case 'cancelTimer':
      cancelTimer(run, command.seq);
      break;
    case 'scheduleActivity':
      run.activities.set(command.seq, new PendingActivity(server, run, command.seq, command.activity));
      break;
    case 'cancelActivity':
      // One that has ended meanwhile is told of in the next task.
      run.activities.get(command.seq)?.requestCancel();
      break;
    case 'startChild':
      startChild(server, run, command.seq, command.child);
      break;
    case 'cancelChild':
      requestChildCancel(server, run, command.seq);
      break;
    case 'signalExternal':
      signalExternal(server, run, command);
      break;
    case 'cancelExternal':
      cancelExternal(server, run, command);
      break;
    case 'searchAttributes':
      run.attributes = merged(run.attributes, command.fields, isEmptyAttribute);
      tellAttributes(server, run.workflowId, command.fields);
      break;
    case 'memo':
      run.memo = merged(run.memo, command.fields, isNothing);
      break;
    case 'patch':
      break;
    case 'acceptUpdate':
      for (const update of run.updates) if (update.id === command.id) update.accepted = true;
      break;
    case 'rejectUpdate':
      endUpdate(run, command.id)?.answer.reject(toError(command.failure));
      break;
    case 'completeUpdate':
      endUpdate(run, command.id)?.answer.resolve(command.result);
      break;
    case 'complete':
      closeRun(server, run, 'COMPLETED', { result: command.result });
      break;
    case 'fail':
      closeRun(server, run, 'FAILED', { failure: command.failure });
      break;
    case 'cancel':
      closeRun(server, run, 'CANCELLED', {});
      break;
    case 'continueAsNew':
      continueAsNew(server, run, command.next);
  }
}

/** @param atMs when it began; a timer that is set up again by a reset may be due at once */
export function startTimerAt(server: Server, run: Run, seq: number, ms: number, atMs: number): void {
  const { clock, settings, tasks } = server;
  const fire = (): void => {
    run.timers.delete(seq);
    tasks.addEvent(run, job('fireTimer', { seq }));
  };
  run.timers.set(seq, clock.at(atMs + ms + settings.timerLatenessMs(ms), fire));
}

/** A timer that fired while the task was open has not fired: the cancel wins. */
function cancelTimer(run: Run, seq: number): void {
  run.timers.get(seq)?.();
  run.timers.delete(seq);
  const at = run.pending.findIndex((event) => event.variant === 'fireTimer' && event.fireTimer.seq === seq);
  if (at >= 0) run.pending.splice(at, 1);
}

function endUpdate(run: Run, id: string): Run['updates'][number] | undefined {
  const update = run.updates.find((candidate) => candidate.id === id);
  run.updates = run.updates.filter((candidate) => candidate !== update);
  return update;
}

function merged(fields: Fields, changes: Fields, isUnset: (payload: Payload) => boolean): Fields {
  const all = Object.entries({ ...fields, ...changes });
  return Object.fromEntries(all.filter(([, payload]) => !isUnset(payload)));
}

export function tellAttributes(server: Server, workflowId: string, fields: Fields): void {
  for (const [name, payload] of Object.entries(fields)) server.onAttribute(workflowId, name, valueOf(payload));
}

/** A keyword or a number, out of its JSON. */
function valueOf({ data }: Payload): unknown {
  return data && data.length > 0 ? (JSON.parse(Buffer.from(data).toString()) as unknown) : undefined;
}

function isEmptyAttribute({ data }: Payload): boolean {
  if (!data || data.length === 0) return true;
  const text = Buffer.from(data).toString();
  return text === 'null' || text === '[]';
}

const isNothing = (payload: Payload): boolean => (payload as { readonly json?: string }).json === undefined;
