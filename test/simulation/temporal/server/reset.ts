import type { Command } from '../runtime/commands.js';
import { seedOf } from '../runtime/instance.js';
import { job, type Job } from '../runtime/job.js';
import { applyCommand, startTimerAt } from './apply-command.js';
import { closeRun } from './close-run.js';
import type { RecordedTask, Run } from './run.js';
import type { Server } from './server.js';

type SeedJob = Extract<Job, { variant: 'updateRandomSeed' }>['updateRandomSeed'];

/**
 * Takes a workflow back to before its task number `task` (from 0). A new run goes on from there with what had happened by
 * then, and with the signals that came later; the old one is terminated, and its activities report to nobody.
 */
export function resetRun(server: Server, old: Run, task: number): Run {
  const { clock, chains, tasks } = server;
  const kept = old.history.slice(0, task);
  const last = kept.at(-1);
  const run = chains.newRun({ ...old.info, runId: chains.newRunId() }, old.parent);
  run.history.push(...kept);
  run.historyLength = (last?.historyLengthAfter ?? 1) + 2;
  run.attributes = last?.attributes ?? old.info.attributes;
  run.memo = last?.memo ?? old.info.memo;
  const redone = old.history[task]?.jobs ?? old.pending;
  const later = [
    ...old.history.slice(task + 1).flatMap(({ jobs }) => jobs),
    ...(task < old.history.length ? old.pending : []),
  ];
  const seed = { randomnessSeed: { toBytes: () => seedOf(run.runId) } } as unknown as SeedJob;
  run.pending.splice(0, Infinity, job('updateRandomSeed', seed));
  run.pending.push(
    ...redone.filter(({ variant }) => variant !== 'doUpdate'),
    ...later.filter(({ variant }) => variant === 'signalWorkflow'),
  );
  const unfinished = openCommands(kept, redone);
  old.next = run;
  if (old.isRunning) closeRun(server, old, 'TERMINATED', { reason: 'reset' });
  run.firstTaskAtMs = clock.nowMs;
  chains.append(run);
  for (const { command, atMs } of unfinished) {
    if (command.kind === 'startTimer') startTimerAt(server, run, command.seq, command.ms, atMs);
    else applyCommand(server, run, command);
  }
  tasks.schedule(run);
  return run;
}

interface Unfinished {
  readonly command: Command;
  readonly atMs: number;
}

/** What had been asked for by then and had no outcome yet. */
function openCommands(kept: readonly RecordedTask[], redone: readonly Job[]): Unfinished[] {
  const asked = kept.flatMap(({ commands, completedAtMs }) =>
    commands.map((command): Unfinished => ({ command, atMs: completedAtMs })),
  );
  const told = [...kept.flatMap(({ jobs }) => jobs), ...redone];
  const isTold = (isIt: (event: Job) => boolean): boolean => told.some(isIt);
  const isTakenBack = (kind: Command['kind'], seq: number): boolean =>
    asked.some(({ command }) => command.kind === kind && 'seq' in command && command.seq === seq);
  return asked.filter(({ command }) => {
    switch (command.kind) {
      case 'startTimer':
        return (
          !isTakenBack('cancelTimer', command.seq) &&
          !isTold((event) => event.variant === 'fireTimer' && event.fireTimer.seq === command.seq)
        );
      case 'scheduleActivity':
      case 'cancelActivity':
        return !isTold((event) => event.variant === 'resolveActivity' && event.resolveActivity.seq === command.seq);
      case 'signalExternal':
        return !isTold(
          (event) =>
            event.variant === 'resolveSignalExternalWorkflow' &&
            event.resolveSignalExternalWorkflow.seq === command.seq,
        );
      case 'cancelExternal':
        return !isTold(
          (event) =>
            event.variant === 'resolveRequestCancelExternalWorkflow' &&
            event.resolveRequestCancelExternalWorkflow.seq === command.seq,
        );
      case 'startChild':
        return !isTold(
          (event) =>
            event.variant === 'resolveChildWorkflowExecutionStart' &&
            event.resolveChildWorkflowExecutionStart.seq === command.seq,
        );
      default:
        return false;
    }
  });
}
