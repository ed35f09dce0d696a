import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { LedgerPod } from '../support/emulator.js';
import { waitUntil } from '../support/processes.js';
import { boundOf, CONFIG, type Bound, type ChaosConfig } from './bounds.js';
import type { ChaosStack } from './chaos-stack.js';
import { isOnPod, isTerminal, type Failure, type FailureName, type Phase } from './failures.js';
import { judgePods, overlapSeconds, phaseAt } from './judge.js';
import type { PlannedRun } from './plan.js';
import { RunSession } from './run-session.js';
import { podsOf, stage } from './stage.js';
import { strike, strikePod } from './strikes.js';

/** Beyond its bound a pod is waited for so long, to tell late from never. */
const LATE_MS = 60_000;
const LOG_LINES = 12;

/** One session that was struck, and what its pods cost beyond what they had to. */
export interface Measurement {
  readonly run: number;
  readonly session: string;
  readonly failures: readonly FailureName[];
  readonly manners: readonly string[];
  /** Where it really was at the strike; `gone`: it billed no more, so nothing was measured. */
  readonly phase: Phase | 'gone';
  readonly extraSeconds: number;
  readonly bound: Bound;
  readonly job: string;
  readonly pods: readonly string[];
  /** Empty is good. */
  readonly problems: readonly string[];
}

export interface StruckRun {
  /** The stack can be used again from here on; never after a failure that ends all of ours. */
  readonly restored: Promise<void>;
  readonly measured: Promise<Measurement[]>;
}

/**
 * Stages the sessions and strikes. What follows is told by the promises.
 * @param quiet the strike waits for it, for what came before on the same stack is still being measured
 */
export async function strikeRun(
  stack: ChaosStack,
  planned: PlannedRun,
  quiet: Promise<void>,
  config: ChaosConfig = CONFIG,
): Promise<StruckRun> {
  const sessions = planned.sessions.map((session) => new RunSession(stack, session, config));
  await stage(stack, sessions, config, quiet);
  const before = (await stack.account.ledger(0)) ?? [];
  const struckMs = Date.now();
  const failing = planned.failures.map((failure) => letHappen(stack, failure, sessions, before));
  const phases = sessions.map(({ name, facts }) =>
    phaseAt(podsOf(before, name), stack.models.notes(), facts, struckMs),
  );
  const released = delay(planned.releaseSeconds * 1000).then(() => {
    for (const session of sessions) session.release();
  });
  const restored = Promise.all([...failing, released]).then(() => undefined);
  const measured = restored.then(() => measure(stack, planned, sessions, phases, config));
  return { restored, measured };
}

async function letHappen(
  stack: ChaosStack,
  failure: Failure,
  sessions: readonly RunSession[],
  before: readonly LedgerPod[],
): Promise<void> {
  if (failure.afterSeconds > 0) await delay(failure.afterSeconds * 1000);
  if (!isOnPod(failure.name)) return strike(stack, failure);
  const ledger = (await stack.account.ledger(0)) ?? before;
  const kills = failure.manner === 'sigkill' && (failure.name === 'pod-model' || failure.name === 'pod-container');
  await Promise.all(
    sessions.map(async (session) => {
      const pod = podsOf(ledger, session.name).find(({ terminatedAt }) => terminatedAt === null);
      if (pod === undefined) return;
      if ((await strikePod(stack, pod.id, failure)) && kills) session.podKilledMs = Date.now();
    }),
  );
}

async function measure(
  stack: ChaosStack,
  { index, failures }: PlannedRun,
  sessions: readonly RunSession[],
  phases: readonly (Phase | 'gone')[],
  config: ChaosConfig,
): Promise<Measurement[]> {
  const names = failures.map(({ name }) => name);
  const isForGood = names.some(isTerminal);
  return Promise.all(
    sessions.map(async (session, at): Promise<Measurement> => {
      const phase = phases[at] ?? 'gone';
      const bound = boundOf(names, phase === 'gone' ? 'stop' : phase, config);
      const problems: string[] = [];
      const job = isForGood ? 'open' : await session.jobOutcome();
      if (job === undefined) problems.push('the job neither answered nor failed in its time');
      if (!isForGood && !(await session.ended())) problems.push('the session did not end in its time');
      const pods = await endOf(stack, session, bound, config);
      const nowMs = Date.now();
      const judged = judgePods(pods, stack.models.notes(), session.facts, nowMs, config);
      for (const { podId, extraSeconds, alive } of judged) {
        if (alive) problems.push(`pod ${podId} is still alive`);
        if (extraSeconds > bound.seconds)
          problems.push(
            `pod ${podId} billed ${extraSeconds.toFixed(1)} s too long; bound ${bound.seconds} s = ${bound.text}`,
          );
      }
      const overlap = overlapSeconds(pods, nowMs);
      if (overlap > bound.seconds) problems.push(`two pods billed at once for ${overlap.toFixed(1)} s`);
      const evidence = problems.length > 0 ? pods.map((pod) => evidenceOf(stack, pod)) : [];
      return {
        run: index,
        session: session.name,
        failures: names,
        manners: failures.map(({ manner }) => manner),
        phase,
        extraSeconds: Math.max(0, ...judged.map(({ extraSeconds }) => extraSeconds)),
        bound,
        job: job ?? 'forgotten',
        pods: pods.map(({ id }) => id),
        problems: [...problems, ...evidence],
      };
    }),
  );
}

/** The session's pods once none bills any more, or when it is clear that one goes on. */
async function endOf(stack: ChaosStack, session: RunSession, bound: Bound, config: ChaosConfig): Promise<LedgerPod[]> {
  let pods: LedgerPod[] = [];
  const look = async (): Promise<boolean> => {
    const ledger = await stack.account.ledger();
    if (ledger === undefined) return false;
    pods = podsOf(ledger, session.name);
    return pods.every(({ terminatedAt }) => terminatedAt !== null);
  };
  const timeoutMs = (bound.seconds + config.readySeconds + config.idleSeconds) * 1000 + LATE_MS;
  await waitUntil(look, { timeoutMs, what: `the pods of ${session.name} end`, everyMs: 500 }).catch(() => undefined);
  return pods;
}

function evidenceOf(stack: ChaosStack, { id, name, createdAt, terminatedAt }: LedgerPod): string {
  const notes = stack.models.notes().filter(({ podId }) => podId === id);
  const uses = notes
    .slice(-4)
    .map(({ atMs, what, path = '' }) => `${new Date(atMs).toISOString()} ${what} ${path}`.trim());
  let log: string[] = [];
  try {
    log = readFileSync(stack.podLogFile(id), 'utf8').trim().split('\n').slice(-LOG_LINES);
  } catch {
    log = ['no log'];
  }
  return [`${name} ${id}: ${createdAt} to ${terminatedAt ?? 'now'}`, ...uses, ...log].join('\n    ');
}
