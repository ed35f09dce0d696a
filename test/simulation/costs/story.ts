import { ApplicationFailure } from '@temporalio/common';
import {
  parsePodName,
  RECORD_QUERY,
  sessionRecordSchema,
  WORKFLOW_TYPES,
  type SessionRecord,
} from '../../../src/contract/index.js';
import { costReport } from '../../../src/cost/report.js';
import { factsOf, type SessionEnd, type SessionFacts } from '../../../src/cost/session-facts.js';
import { Kernel } from '../kernel/kernel.js';
import { SimProcess } from '../kernel/process.js';
import type { Phase } from '../phases.js';
import { isOver } from '../run-seed.js';
import type { Execution } from '../temporal/sim-temporal.js';
import { installGlobals } from '../temporal/runtime/globals.js';
import type { PlannedSession } from '../world/plan.js';
import { calm } from '../world/weather.js';
import { planSessions, World } from '../world/world.js';

/** Half a cent: disks are billed beside the price, and a pod's end is seen some seconds after it. */
const TOLERANCE_USD = 0.005;
const OVER_AFTER_MS = 2 * 3_600_000;
const EVERYBODY_HAS_COME_MS = 260_000;
const LOOK_AFTER_MS = 300_000;
const DAY_MS = 86_400_000;
const PHASES_OF_COSTS: readonly Phase[] = ['serve', 'drain', 'idle'];
const PROJECTS = ['shop', 'lab', undefined];

export interface CostStory {
  readonly problems: readonly string[];
  readonly sessions: number;
  /** Sessions that were asked while they ran. */
  readonly looks: number;
  readonly leases: number;
  /** Pods beyond each session's first one. */
  readonly furtherPods: number;
  /** The story's pods were billed on two days. */
  readonly overMidnight: boolean;
  readonly usd: number;
}

/** Some sessions of several projects, without faults but for workers that are killed and pods that do not boot; then what they cost, told twice. */
export async function costStory(seed: number): Promise<CostStory> {
  const kernel = new Kernel(seed);
  // Half of the stories have a midnight in them.
  if (kernel.chance(0.5)) kernel.nowMs += DAY_MS - kernel.integer(1, 300) * 1000;
  const uninstall = installGlobals(kernel);
  try {
    const wanted = PHASES_OF_COSTS.map((phase) => ({
      phases: new Set([phase]),
      longWork: false,
      lateJob: false,
      runner: false,
      noSwitch: false,
    }));
    const sessions = planSessions(kernel, wanted.slice(0, kernel.integer(1, 4))).map(working);
    const world = new World(
      kernel,
      sessions.map((session) => withProjects(kernel, session)),
      calm,
    );
    // A pod that does not come up in time is followed by another one where a job waits.
    world.cloud.bootSeconds = () => (kernel.chance(0.2) ? 1000 : 2 + kernel.random() * 8);
    world.begin();
    const startMs = kernel.nowMs;
    if (kernel.chance(0.3)) world.later(kernel.integer(5, 200), () => restartWorkers(world));
    await kernel.run(startMs + kernel.integer(20_000, LOOK_AFTER_MS));
    const looks = await lookAtLiving(world);
    await kernel.run(startMs + OVER_AFTER_MS, () => kernel.nowMs > startMs + EVERYBODY_HAS_COME_MS && isOver(world));
    const closed = closedSessions(world);
    return {
      problems: [
        ...looks.flat(),
        ...closed.flatMap((facts) => difference(world, facts)),
        ...notAttributed(world, closed),
      ],
      sessions: closed.length,
      looks: looks.length,
      leases: closed.reduce((count, { leases }) => count + leases.length, 0),
      furtherPods: closed.reduce((count, { pods }) => count + Math.max(0, pods.length - 1), 0),
      overMidnight: daysOf(closed, kernel.nowMs).filter(({ usd }) => usd > 0).length > 1,
      usd: reportOf(closed, kernel.nowMs).totalUsd,
    };
  } finally {
    uninstall();
  }
}

/** Its own switch may end a pod that holders only hold; its session learns of that later, and counts until then. */
function working(session: PlannedSession): PlannedSession {
  return { ...session, holders: session.holders.map((holder) => ({ ...holder, idles: false })) };
}

function withProjects(kernel: Kernel, session: PlannedSession): PlannedSession {
  const of = (): { project?: string } => {
    const project = kernel.pick(PROJECTS);
    return project === undefined ? {} : { project };
  };
  return {
    ...session,
    input: { ...session.input, ...of() },
    jobs: session.jobs.map((job) => ({ ...job, ...of() })),
    holders: session.holders.map((holder) => ({ ...holder, ...of() })),
  };
}

function restartWorkers(world: World): void {
  world.fleet.killWorkers();
  world.fleet.startWorker();
}

const sessionRuns = (world: World): Execution[] =>
  world.temporal.executions().filter(({ type }) => type === WORKFLOW_TYPES.podSession);

/** As a client reads them. @returns what is wrong with each at the moment of its answer */
async function lookAtLiving(world: World): Promise<string[][]> {
  const { kernel, temporal } = world;
  const client = temporal.clientFor(new SimProcess(kernel, 'reader'));
  const looks = sessionRuns(world).filter(({ status }) => status === 'RUNNING');
  const found: string[][] = [];
  for (const { workflowId, runId } of looks) {
    const at = new Date(kernel.nowMs).toISOString();
    const asked = client.workflow.getHandle(workflowId, runId).query<unknown, [{ at: string }]>(RECORD_QUERY, { at });
    let answer: unknown;
    void asked.then((value) => (answer = value));
    const untilMs = kernel.nowMs + 20_000;
    await kernel.run(untilMs, () => answer !== undefined);
    if (answer === undefined) throw new Error(`${workflowId} did not answer`);
    found.push(difference(world, factsIn(answer, { runId, state: 'running' })));
  }
  return found;
}

/** What is left of them in Temporal: their results, those of the failed and cancelled ones included. */
function closedSessions(world: World): SessionFacts[] {
  return sessionRuns(world).flatMap(({ runId, status, result, failure }) => {
    if (status === 'COMPLETED') return factsIn(result, { runId, state: 'ended' });
    const details = failure instanceof ApplicationFailure ? failure.details : undefined;
    return details ? factsIn(details[0], { runId, state: 'failed' }) : [];
  });
}

function factsIn(value: unknown, end: SessionEnd): SessionFacts {
  const record: SessionRecord = sessionRecordSchema.parse(JSON.parse(JSON.stringify(value)));
  return factsOf(record, end);
}

function reportOf(sessions: readonly SessionFacts[], nowMs: number) {
  return costReport({ sessions, problems: [] }, nowMs - DAY_MS, nowMs);
}

function daysOf(sessions: readonly SessionFacts[], nowMs: number) {
  return reportOf(sessions, nowMs).perDay;
}

/** What is attributed, to leases and to nobody's use, against the bill of the same session's pods. */
function difference(world: World, facts: SessionFacts): string[] {
  const { perProject, perDay, perGpu, shares, totalUsd } = reportOf([facts], world.kernel.nowMs);
  const billed = billOf(world, facts.firstRunId);
  const sums = {
    projects: sum(perProject),
    days: sum(perDay.flatMap(({ byProject }) => byProject)),
    GPUs: sum(perGpu),
    kinds: shares.busyUsd + shares.bootUsd + shares.idleUsd,
    sessions: totalUsd,
  };
  return Object.entries(sums)
    .filter(([, usd]) => Math.abs(usd - billed) > TOLERANCE_USD || Math.abs(usd - totalUsd) > 1e-9)
    .map(([what, usd]) => `session ${facts.session} (${facts.state}): ${what} $${usd}, billed $${billed}`);
}

/** No pod of ours is left out. */
function notAttributed(world: World, closed: readonly SessionFacts[]): string[] {
  const known = new Set(closed.flatMap(({ pods }) => pods.map(({ id }) => id)));
  return world.cloud.ledger.filter(({ id }) => !known.has(id)).map(({ id, name }) => `pod ${id} (${name}) is nobody's`);
}

function billOf(world: World, firstRunId: string | undefined): number {
  const meant = world.cloud.ledger.filter(({ name }) => parsePodName(name)?.firstRunId === firstRunId);
  return meant.reduce((usd, { costUsd }) => usd + costUsd, 0);
}

function sum(rows: readonly { readonly usd: number }[]): number {
  return rows.reduce((total, { usd }) => total + usd, 0);
}
