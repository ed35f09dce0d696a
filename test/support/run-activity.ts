import { ApplicationFailure, type Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createPodActivities, type PodActivities } from '../../src/activities/pods.js';
import type { PodDependencies } from '../../src/activities/pod-dependencies.js';
import type { SessionPlan, StartPodInput, StopPodInput } from '../../src/activities/types.js';
import { podName, podSessionInputSchema, type PodSessionInput } from '../../src/contract/index.js';
import { GATE_SECRET, NO_CAPS, OWNER } from './tester.js';
import type { VirtualRunPod } from './virtual-runpod.js';

export { GATE_SECRET, NO_CAPS, OWNER };
export const FIRST_RUN = '0197a2b4-0000-7000-8000-00000000c0de';
export const RTX_4090 = 'NVIDIA GeForce RTX 4090';
export const RTX_3090 = 'NVIDIA GeForce RTX 3090';
export const HEARTBEAT_TIMEOUT_MS = 10_000;

/** What a worker gives its activities. The gate is the test's to bring: most activities never ask for one. */
export function dependencies(runpod: VirtualRunPod, change: Partial<PodDependencies> = {}): PodDependencies {
  return {
    runpod: runpod.client,
    gate: () => {
      throw new Error('this test has no gate');
    },
    gateSecrets: [GATE_SECRET],
    proxyUrl: 'http://{podId}-{port}.proxy.test',
    scripts: { args: 'true', packed: 'cGFja2Vk' },
    owner: OWNER,
    defaults: { api: 'ollama', model: 'default-model', modelFile: undefined },
    webhook: false,
    caps: NO_CAPS,
    isCurrentRun: async () => true,
    describeHolders: async (holders) => holders.map(({ leaseId }) => ({ leaseId, state: 'running' })),
    clock: runpod.time.clock,
    sleep: runpod.time.sleep,
    ...change,
  };
}

export const sessionSpec = (input: Partial<PodSessionInput> = {}) =>
  podSessionInputSchema.parse({ session: 's', ...input });

export function planFor(runpod: VirtualRunPod, change: Partial<SessionPlan> = {}): SessionPlan {
  const candidates = [{ gpu: RTX_4090, costPerHourUsd: 0.69 }];
  const hardDeadlineMs = runpod.time.nowMs + 8 * 3_600_000;
  return { owner: OWNER, api: 'ollama', model: 'm', image: 'image', candidates, hardDeadlineMs, ...change };
}

/** The name of this session's pod. */
export function nameOf(
  change: { attempt?: number; session?: string; owner?: string; firstRunId?: string; deadline?: number } = {},
): string {
  const { attempt = 1, session = 's', owner = OWNER, firstRunId = FIRST_RUN, deadline = 1_800_000_000 } = change;
  return podName({ owner, session, firstRunId, attempt, hardDeadlineSeconds: deadline });
}

export function startInput(runpod: VirtualRunPod, change: Partial<StartPodInput> = {}): StartPodInput {
  return { spec: sessionSpec(), plan: planFor(runpod), podName: nameOf(), waiting: [], onlyForJobs: false, ...change };
}

export const stopInput = (podId?: string): StopPodInput => ({
  owner: OWNER,
  session: 's',
  firstRunId: FIRST_RUN,
  podId,
});

/** Jobs that wait for the session's pod. */
export const waitingJobs = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    leaseId: `lease-${i}`,
    holder: { kind: 'workflow' as const, workflowId: `agent-job/${i}` },
  }));

export interface Attempt<T> {
  readonly result?: T;
  readonly failure?: Error;
  /** Details of its heartbeats, oldest first. */
  readonly beats: readonly unknown[];
}

interface AttemptOptions {
  readonly attempt?: number;
  readonly heartbeatDetails?: unknown;
  /** Called with the environment before the activity starts: to cancel it, or to watch its heartbeats. */
  readonly prepare?: (env: MockActivityEnvironment) => void;
}

/** One attempt of one activity, as a worker would run it, while time passes. */
export function runAttempt<K extends keyof PodActivities>(
  runpod: VirtualRunPod,
  name: K,
  input: Parameters<PodActivities[K]>[0],
  deps: PodDependencies = dependencies(runpod),
  options: AttemptOptions = {},
): Promise<Attempt<Awaited<ReturnType<PodActivities[K]>>>> {
  return runpod.time.run(attemptOnce(name, input, deps, options));
}

async function attemptOnce<K extends keyof PodActivities>(
  name: K,
  input: Parameters<PodActivities[K]>[0],
  deps: PodDependencies,
  { attempt = 1, heartbeatDetails, prepare }: AttemptOptions,
): Promise<Attempt<Awaited<ReturnType<PodActivities[K]>>>> {
  const info: Partial<Info> = { attempt, heartbeatDetails, heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS };
  const env = new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });
  const beats: unknown[] = [];
  env.on('heartbeat', (details) => beats.push(structuredClone(details)));
  prepare?.(env);
  const activity = createPodActivities(deps)[name] as (
    given: unknown,
  ) => Promise<Awaited<ReturnType<PodActivities[K]>>>;
  try {
    return { result: await env.run(activity, input), beats };
  } catch (failure) {
    return { failure: failure as Error, beats };
  }
}

/** What a workflow reads in an activity's failure. */
export function codeOf(failure: Error | undefined) {
  if (!(failure instanceof ApplicationFailure)) return failure;
  const detail = failure.details?.[0] as { nothingCreated?: boolean } | undefined;
  return { code: failure.type, final: failure.nonRetryable === true, nothingCreated: detail?.nothingCreated };
}

/** Attempts as Temporal makes them: a retryable failure is tried again, with the last heartbeat's details at hand. */
export function runWithRetries<K extends keyof PodActivities>(
  runpod: VirtualRunPod,
  name: K,
  input: Parameters<PodActivities[K]>[0],
  deps: PodDependencies = dependencies(runpod),
  atMost?: number,
): Promise<{ result: Awaited<ReturnType<PodActivities[K]>>; attempts: number }> {
  return runpod.time.run(retried(runpod, name, input, deps, atMost));
}

/** The same for a test that lets several run at once: somebody else has to let time pass. */
export async function retried<K extends keyof PodActivities>(
  runpod: VirtualRunPod,
  name: K,
  input: Parameters<PodActivities[K]>[0],
  deps: PodDependencies,
  atMost = 50,
): Promise<{ result: Awaited<ReturnType<PodActivities[K]>>; attempts: number }> {
  let heartbeatDetails: unknown;
  for (let attempt = 1; attempt <= atMost; attempt++) {
    const { result, failure, beats } = await attemptOnce(name, input, deps, { attempt, heartbeatDetails });
    if (!failure) return { result: result!, attempts: attempt };
    if (failure instanceof ApplicationFailure && failure.nonRetryable) throw failure;
    // As the server does: a beat without details leaves none.
    if (beats.length > 0) heartbeatDetails = beats.at(-1);
    const asked: unknown = failure instanceof ApplicationFailure ? failure.nextRetryDelay : undefined;
    const backoffMs = typeof asked === 'number' ? asked : Math.min(30_000, 1000 * 2 ** (attempt - 1));
    await runpod.time.sleep(backoffMs);
  }
  throw new Error(`${name} failed ${atMost} times`);
}
