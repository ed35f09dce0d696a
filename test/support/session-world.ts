import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure, cancelled, heartbeat } from '@temporalio/activity';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import type { AgentActivities } from '../../src/activities/agents.js';
import type { PodActivities } from '../../src/activities/pods.js';
import type { ReaperActivities } from '../../src/activities/reaper.js';
import { createRunnerActivities } from '../../src/activities/runners.js';
import type { WebhookActivities } from '../../src/activities/webhook.js';
import { createSessionActivities } from '../../src/activities/sessions.js';
import type { StartedPod, StartPodInput } from '../../src/activities/types.js';
import {
  jobWorkflowId,
  sessionWorkflowId,
  TASK_QUEUES,
  type AgentJobInput,
  type AgentJobResult,
  type PodSessionInput,
  type RunnerInput,
  type SessionRecord,
  type SessionStatus,
  type WebhookEvent,
} from '../../src/contract/index.js';
import { waitUntil } from './processes.js';

const workflowBundle = { codePath: fileURLToPath(new URL('../../dist/workflow-bundle.js', import.meta.url)) };

/** What RunPod and pods would do: every activity may be replaced by a scenario. Records which calls came. */
export class FakeWorld implements PodActivities, AgentActivities, ReaperActivities, WebhookActivities {
  readonly calls: string[] = [];
  readonly rented: string[] = [];
  stopped = 0;
  holdersGone = new Set<string>();
  /** What the webhook got, deliveries that failed included. */
  readonly told: WebhookEvent[] = [];
  overrides: Partial<PodActivities & AgentActivities & ReaperActivities & WebhookActivities> = {};

  planSession: PodActivities['planSession'] = async (input) => {
    this.calls.push('planSession');
    if (this.overrides.planSession) return this.overrides.planSession(input);
    const { spec, startedAtMs } = input;
    const hardDeadlineMs = startedAtMs + spec.maxLifetimeSeconds * 1000;
    const candidates = spec.gpus.map((gpu) => ({ gpu, costPerHourUsd: 0.69 }));
    return { owner: 'test-00000000', api: 'ollama', model: 'm', image: 'i', candidates, hardDeadlineMs };
  };

  startPod: PodActivities['startPod'] = async (input) => {
    this.calls.push('startPod');
    if (this.overrides.startPod) return this.overrides.startPod(input);
    return { pod: this.rent(input), goneLeaseIds: [] };
  };

  rent({ podName: name, plan, spec }: StartPodInput): StartedPod {
    this.rented.push(name);
    // The servers' clocks differ under time skipping: a pod is created when its session says so.
    const createdAt = new Date(plan.hardDeadlineMs - spec.maxLifetimeSeconds * 1000).toISOString();
    return { id: `pod${this.rented.length}`, name, gpu: 'gpu', costPerHourUsd: 0.69, createdAt };
  }

  pollPod: PodActivities['pollPod'] = async (input) => {
    this.calls.push('pollPod');
    if (this.overrides.pollPod) return this.overrides.pollPod(input);
    return { endpoint: `http://127.0.0.1:1/proxy/${input.pod.id}/11434` };
  };

  checkPod: PodActivities['checkPod'] = async (input) => {
    this.calls.push('checkPod');
    if (this.overrides.checkPod) return this.overrides.checkPod(input);
    return { verdict: 'alive', detail: 'its gate answers' };
  };

  stopPod: PodActivities['stopPod'] = async (input) => {
    this.calls.push('stopPod');
    if (this.overrides.stopPod) return this.overrides.stopPod(input);
    this.stopped += 1;
    return { endedAt: new Date().toISOString(), podIds: input.podId === undefined ? [] : [input.podId] };
  };

  sweep: ReaperActivities['sweep'] = async (input) => {
    this.calls.push('sweep');
    if (this.overrides.sweep) return this.overrides.sweep(input);
    return {
      at: new Date().toISOString(),
      pods: 0,
      suspects: [],
      ended: [],
      reported: [],
      problems: [],
      webhook: false,
    };
  };

  deliverWebhook: WebhookActivities['deliverWebhook'] = async (event) => {
    this.told.push(event);
    await this.overrides.deliverWebhook?.(event);
  };

  runAgent: AgentActivities['runAgent'] = async (input) => {
    this.calls.push('runAgent');
    if (this.overrides.runAgent) return this.overrides.runAgent(input);
    return { output: 'hello', messages: [], usage: { inputTokens: 1, outputTokens: 2 } };
  };
}

/** The task queue of another project, and what the operator of the world's workers allows. */
export const RUNNER_QUEUE = 'other-project';

/** Runs `body` with another project's worker beside: it has no code of Devloop's. */
export async function withRunner<T>(
  env: TestWorkflowEnvironment,
  activities: Readonly<Record<string, (given: RunnerInput) => Promise<unknown>>>,
  body: () => Promise<T>,
  options: Partial<WorkerOptions> = {},
): Promise<T> {
  const { nativeConnection: connection, namespace = 'default' } = env;
  const worker = await Worker.create({ connection, namespace, taskQueue: RUNNER_QUEUE, activities, ...options });
  return worker.runUntil(body);
}

/** A running activity until it is cancelled: what a long model call is. */
export async function untilCancelled(): Promise<never> {
  const beat = setInterval(() => {
    heartbeat();
  }, 100);
  try {
    return await cancelled();
  } finally {
    clearInterval(beat);
  }
}

/** Waits until what a session or a job shows of itself is as wanted. */
export function until(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  return waitUntil(condition, { what: String(condition) });
}

export function finalFailure(type: string, message: string, detail: object = {}): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, details: [detail] });
}

/** Runs `body` with workers on the three queues whose activities are the world's. */
export async function withWorkers<T>(
  env: TestWorkflowEnvironment,
  world: FakeWorld,
  body: () => Promise<T>,
): Promise<T> {
  const { nativeConnection: connection, namespace, client } = env;
  const { planSession, startPod, pollPod, checkPod, stopPod, sweep, deliverWebhook, runAgent } = world;
  const sessions = createSessionActivities(client);
  const describeHolders: typeof sessions.describeHolders = async (holders) => {
    world.calls.push('describeHolders');
    return sessions.describeHolders(holders);
  };
  // A cancel reaches an activity with the answer to a heartbeat.
  const shared = { connection, namespace: namespace ?? 'default', maxHeartbeatThrottleInterval: 100 };
  const control = await Worker.create({
    ...shared,
    taskQueue: TASK_QUEUES.control,
    workflowBundle,
    activities: {
      ...{ planSession, startPod, checkPod, stopPod, sweep, deliverWebhook },
      ...sessions,
      describeHolders,
      ...createRunnerActivities([RUNNER_QUEUE]),
    },
  });
  const poll = await Worker.create({ ...shared, taskQueue: TASK_QUEUES.poll, activities: { pollPod } });
  const agents = await Worker.create({ ...shared, taskQueue: TASK_QUEUES.agents, activities: { runAgent } });
  return control.runUntil(() => poll.runUntil(() => agents.runUntil(body)));
}

type Handle = WorkflowHandle & { result(): Promise<unknown> };

export async function startSession(
  client: Client,
  input: Partial<PodSessionInput> = {},
): Promise<{
  name: string;
  handle: Handle;
  status: () => Promise<SessionStatus>;
  record: () => Promise<SessionRecord>;
}> {
  const name = input.session ?? `s-${randomUUID().slice(0, 8)}`;
  const handle = await client.workflow.start('PodSession', {
    taskQueue: TASK_QUEUES.control,
    workflowId: sessionWorkflowId(name),
    args: [{ ...input, session: name }],
  });
  return {
    name,
    handle,
    status: () => handle.query<SessionStatus>('status'),
    record: () => handle.result() as Promise<SessionRecord>,
  };
}

export async function startJob(
  client: Client,
  input: AgentJobInput,
): Promise<{ jobId: string; workflowId: string; handle: Handle; result: () => Promise<AgentJobResult> }> {
  const jobId = `j-${randomUUID().slice(0, 8)}`;
  const workflowId = jobWorkflowId(jobId);
  const handle = await client.workflow.start('AgentJob', { taskQueue: TASK_QUEUES.control, workflowId, args: [input] });
  return { jobId, workflowId, handle, result: () => handle.result() as Promise<AgentJobResult> };
}
