import type { SessionHandle } from '../../client/index.js';
import type { SessionRecord } from '../../contract/index.js';
import { asRemote, Interrupted } from '../exit-codes.js';
import type { Progress } from '../progress.js';
import type { HelloJob } from './hello-job.js';
import { leave } from './leave.js';
import { PhaseProgress } from './phase-progress.js';

/** How watching ended: with a record, with a failure, or with both; `detached`: the session goes on without us. */
export interface End {
  readonly record?: SessionRecord;
  readonly failure?: Error;
  readonly detached?: Interrupted;
}

/** Watches a session and its first job. Somebody who interrupts is asked for nothing: see `leave`. */
export async function untilEnd(
  session: SessionHandle,
  job: HelloJob | undefined,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<End> {
  const phases = new PhaseProgress(progress, () => job?.pending ?? false);
  try {
    return { record: await watchToEnd(session, job, phases, interrupted) };
  } catch (error) {
    progress.clear();
    if (!(error instanceof Interrupted)) return { failure: asRemote(error) };
    if ((await leave(session, job, progress)) === 'detached') return { detached: error };
    try {
      return { record: await watchToEnd(session, undefined, phases, undefined), failure: error };
    } catch (failure) {
      progress.clear();
      return { failure: asRemote(failure) };
    }
  }
}

/** The result decides when a session has ended; its status is only shown. */
async function watchToEnd(
  session: SessionHandle,
  job: HelloJob | undefined,
  phases: PhaseProgress,
  signal: AbortSignal | undefined,
): Promise<SessionRecord> {
  const showing = new AbortController();
  const shown = (async () => {
    for await (const status of session.watch({ signal: showing.signal })) phases.show(status);
  })().catch(() => undefined);
  try {
    const answered =
      job !== undefined && signal !== undefined
        ? job.follow(signal).then(() => {
            phases.answered();
          })
        : undefined;
    const [record] = await Promise.all([session.result(signal), answered]);
    await stopShowing(showing, shown);
    phases.ended();
    return record;
  } finally {
    await stopShowing(showing, shown);
  }
}

async function stopShowing(showing: AbortController, shown: Promise<void>): Promise<void> {
  showing.abort();
  await shown;
}
