import { jobWorkflowId, sessionWorkflowId, WORKFLOW_TYPES, type SweepReport } from '../../../src/contract/index.js';
import { LEASE_SECONDS } from '../faults/limits.js';
import type { World } from '../world/world.js';
import { fault, holder, job, NAME, podsOfOwner, session, type Scene } from './scene.js';

const SLACK_SECONDS = 30;
const WORKS = `${NAME}-works`;
const IDLE_SECONDS = 60;
/** Longer than a lease's term. */
const LONG_IDLE_SECONDS = 900;
/** The end of the pod, the job's question, and a new session. */
const STARTS_ANEW_SECONDS = 45;

/** A job is terminated, and under its id another run begins that does nothing. */
const sameIdAgain: Scene = {
  name: 'same-id-again',
  sessions: () => [
    session({ idleTimeoutSeconds: IDLE_SECONDS }, { starts: [], jobs: [job('works', { at: 0, runs: 30 })] }),
  ],
  play: (world) => {
    const { kernel, temporal, users } = world;
    const planned = world.planned(NAME)!;
    let endedAtMs = Infinity;
    world.later(kernel.between(15, 25), () => {
      endedAtMs = kernel.nowMs;
      temporal.trouble.broken.add(jobWorkflowId(WORKS));
      void users.onJob(WORKS, 'terminate').then(() => users.submitAgain(planned.input, planned.jobs[0]!));
    });
    return () => lateBy(world, endedAtMs + (LEASE_SECONDS + IDLE_SECONDS + SLACK_SECONDS) * 1000);
  },
};

/** A job is terminated, and Temporal does not say so: its lease stays, and is no use of the pod. */
const unknownHolder: Scene = {
  name: 'unknown-holder',
  sessions: () => [
    session({ idleTimeoutSeconds: LONG_IDLE_SECONDS }, { starts: [], jobs: [job('works', { at: 0, runs: 60 })] }),
  ],
  play: (world) => {
    const { kernel, temporal, users } = world;
    let endedAtMs = Infinity;
    world.cloud.podWatchers.push((news, { askers }) => {
      if (news !== 'use-begins' || askers.length === 0 || endedAtMs < Infinity) return;
      endedAtMs = kernel.nowMs;
      temporal.trouble.describing = 'refused';
      void users.onJob(WORKS, 'terminate');
    });
    // Longer than the term of a lease, shorter than the idle time.
    world.later(kernel.between(380, 500), () => {
      temporal.trouble.describing = 'answered';
    });
    return () => lateBy(world, endedAtMs + (LONG_IDLE_SECONDS + SLACK_SECONDS) * 1000);
  },
};

function lateBy(world: World, boundMs: number): string[] {
  const [first] = podsOfOwner(world);
  const lateMs = (first?.terminatedAtMs ?? Infinity) - boundMs;
  return lateMs > 0
    ? [`pod ${first?.id ?? ''} lived ${Math.round(lateMs / 1000)} s longer than its holder's end allows`]
    : [];
}

/** A runner does not heed that its lease was taken back. */
const deafRunner: Scene = {
  name: 'deaf-runner',
  sessions: (kernel) => [
    session(
      { drainSeconds: 0, maxLifetimeSeconds: Math.round(kernel.between(60, 110)), guard: 'none' },
      { starts: [], jobs: [job('works', { at: 0, runs: 300, timeout: 400, runner: 'deaf' })] },
    ),
  ],
  play: (world) => {
    const findings: string[] = [];
    world.later(world.planned(NAME)!.input.maxLifetimeSeconds! + STARTS_ANEW_SECONDS, () => {
      const runs = world.temporal.executions().filter(({ workflowId }) => workflowId === sessionWorkflowId(NAME));
      if (runs.every(({ status }) => status !== 'RUNNING'))
        findings.push(`job ${WORKS} waits for its deaf runner instead of going on`);
    });
    return () => findings;
  },
};

/** A runner answers in an encoding that is not ours. */
const garbledAnswer: Scene = {
  name: 'garbled-answer',
  sessions: (kernel) => [
    session({}, { jobs: [job('works', { at: 0, runs: kernel.between(5, 30), runner: 'garbled' })] }),
  ],
  play: (world) => () =>
    world.temporal
      .executions()
      .filter(({ workflowId }) => workflowId === jobWorkflowId(WORKS))
      .filter(({ failure }) => !String(failure).includes('encoded as binary/encrypted'))
      .map(({ status }) => `job ${WORKS} ended without a word on its runner's encoding: ${status}`),
};

const QUESTIONS = 700;
const ASKS_EVERY_SECONDS = 0.4;
/** 500 questions, their answers and the tasks between. */
const LONGEST_HISTORY = 3_000;

/** Somebody asks over and over, and the server never asks for a new run. */
const flooded: Scene = {
  name: 'flooded',
  sessions: () => [
    session({}, { holders: [holder({ at: 0, uses: 20 + QUESTIONS * ASKS_EVERY_SECONDS, hold: true })] }),
  ],
  weather: () => ({ continueAsNewEvents: Infinity }),
  play: (world) => {
    world.longestHistory = LONGEST_HISTORY;
    for (let i = 0; i < QUESTIONS; i++)
      world.later(
        20 + i * ASKS_EVERY_SECONDS,
        () => void world.users.ask(NAME, { leaseId: `${NAME}-external`, hold: true }),
      );
  },
};

/** Other people's pods that stand still and cost are told of by the reaper, and a list that cannot be read is no empty one. */
const othersAreTold: Scene = {
  name: 'others-are-told',
  sessions: () => [session({}, { jobs: [job('works', { at: 0, runs: 100 })] })],
  faults: (kernel) => [fault('server-error', 'serve', kernel.between(0, 60), 50)],
  play: (world) => {
    const foreign = world.cloud.alive.find(({ name }) => name.startsWith('devloop.tester-ffffffff'));
    if (foreign) world.cloud.letStand(foreign.id);
    return () =>
      sweepsOf(world).flatMap((report) => {
        const isTold = report.reported.some(({ podId }) => podId === foreign?.id);
        return isTold
          ? []
          : [
              `a round of the reaper at ${report.at} saw ${report.pods} pods and told nothing of the one that stands still`,
            ];
      });
  },
};

/** What the reaper has told of its rounds. */
function sweepsOf({ temporal }: World): SweepReport[] {
  const rounds = temporal.executions().filter(({ type }) => type === WORKFLOW_TYPES.podReaper);
  return rounds.filter(({ status }) => status === 'COMPLETED').map(({ result }) => result as SweepReport);
}

export const holdScenes: readonly Scene[] = [
  sameIdAgain,
  unknownHolder,
  deafRunner,
  garbledAnswer,
  flooded,
  othersAreTold,
];
