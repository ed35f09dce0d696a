import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { jobStartOptions, sessionStartOptions } from '../../../src/client/internal.js';
import {
  jobWorkflowId,
  REQUEST_LEASE_UPDATE,
  SESSION_SIGNALS,
  sessionWorkflowId,
  WORKFLOW_TYPES,
  type AcquireLease,
  type AgentJobInput,
  type Grant,
  type LeaseAnswer,
  type PodSessionInput,
} from '../../../src/contract/index.js';
import type { Kernel } from '../kernel/kernel.js';
import type { SimProcess } from '../kernel/process.js';
import { chatRequest, inputOf, tokenOf } from './agent-run.js';
import type { Link, Network } from './network.js';
import type { PlannedHolder, PlannedJob } from './plan.js';
import { RUNNERS } from './runner.js';

const TRY_AGAIN_MS = 2_000;
const ASK_AGAIN_MS = 5_000;
const USE_EVERY_MS = 10_000;
const USE_SECONDS = 2;

interface Held {
  readonly session: string;
  /** On purpose, used or not. */
  readonly hold: boolean;
  readonly fromMs: number;
  podId: string;
  toMs: number;
  isOver: boolean;
  /** When the session took it back; absent: its holder has died, or nobody heard. */
  givenBackMs?: number;
}

/** What people and other programs do. What Temporal does not take is tried again, as a client would. */
export class Users {
  /** Ends that somebody asked for: session and moment. */
  readonly stopsAsked: { session: string; atMs: number }[] = [];
  /** Sessions that somebody has terminated, and nobody has reset since. */
  terminations: { session: string; atMs: number }[] = [];
  /** Leases of programs outside Temporal: from the grant to the last time that it was confirmed, and for which pod. */
  readonly holds: Held[] = [];

  constructor(
    private readonly kernel: Kernel,
    private readonly process: SimProcess,
    private readonly client: Client,
    private readonly network: Network,
    private readonly link: Link,
  ) {}

  async startSession(input: PodSessionInput): Promise<void> {
    await this.untilTaken(() => this.client.workflow.start(WORKFLOW_TYPES.podSession, sessionStartOptions(input)));
  }

  async submit(session: PodSessionInput, job: PlannedJob): Promise<void> {
    await this.startJob(jobStartOptions(inputFor(session, job), job.jobId));
  }

  /** By hand, under the id of a job that has ended. */
  async submitAgain(session: PodSessionInput, job: PlannedJob): Promise<void> {
    const options = jobStartOptions(inputFor(session, job), job.jobId);
    await this.startJob({ ...options, workflowIdReusePolicy: 'ALLOW_DUPLICATE' });
  }

  private async startJob(options: WorkflowStartOptions): Promise<void> {
    await this.untilTaken(() => this.client.workflow.start(WORKFLOW_TYPES.agentJob, options));
  }

  async stop(session: string): Promise<void> {
    await this.untilTaken(async () => {
      await this.client.workflow
        .getHandle(sessionWorkflowId(session))
        .signal(SESSION_SIGNALS.stop, { reason: 'asked' });
      this.stopsAsked.push({ session, atMs: this.kernel.nowMs });
    }, 3);
  }

  async onSession(session: string, act: 'cancel' | 'terminate'): Promise<void> {
    await this.untilTaken(async () => {
      await this.client.workflow.getHandle(sessionWorkflowId(session))[act]();
      if (act === 'terminate') this.terminations.push({ session, atMs: this.kernel.nowMs });
    }, 3);
  }

  async onJob(jobId: string, act: 'cancel' | 'terminate'): Promise<void> {
    await this.untilTaken(() => this.client.workflow.getHandle(jobWorkflowId(jobId))[act](), 3);
  }

  /** Asks until there is a grant, uses the pod for a while, gives it back or dies. */
  async hold(session: string, { leaseId, uses, hold, ahead, idles, dies, project }: PlannedHolder): Promise<void> {
    const handle = this.client.workflow.getHandle(sessionWorkflowId(session));
    const ask = (): Promise<Grant | undefined> => this.ask(session, { leaseId, hold, project });
    let grant: Grant | undefined;
    for (let tries = 0; tries < 60 && !grant; tries++) {
      grant = await ask();
      if (!grant) await this.process.sleep(ASK_AGAIN_MS);
    }
    if (!grant) return;
    const held: Held = {
      session,
      hold,
      podId: grant.podId,
      fromMs: this.kernel.nowMs,
      toMs: this.kernel.nowMs,
      isOver: false,
    };
    this.holds.push(held);
    const untilMs = this.kernel.nowMs + uses * 1000;
    while (this.kernel.nowMs < untilMs) {
      if (hold) await this.touch(grant);
      else if (!idles && (await this.usePod(grant, leaseId))) {
        await handle
          .signal(SESSION_SIGNALS.renewLease, {
            leaseId,
            lastUsedAt: new Date(this.kernel.nowMs + ahead * 1000).toISOString(),
          })
          .catch(() => undefined);
      }
      const renewed = await ask();
      if (renewed) Object.assign(held, { toMs: this.kernel.nowMs, podId: renewed.podId });
      grant = renewed ?? grant;
      await this.process.sleep(USE_EVERY_MS);
    }
    held.isOver = true;
    if (!dies) await this.giveBack(session, leaseId, held);
  }

  /** Asks once. @returns the grant, if there is one */
  async ask(
    session: string,
    { leaseId, hold, project }: Pick<PlannedHolder, 'leaseId' | 'hold' | 'project'>,
  ): Promise<Grant | undefined> {
    const handle = this.client.workflow.getHandle(sessionWorkflowId(session));
    const asked = { leaseId, holder: { kind: 'external' as const }, ttlSeconds: 60, hold };
    const request: AcquireLease = { ...asked, ...(project !== undefined && { project }) };
    const answer = handle.executeUpdate<LeaseAnswer, [AcquireLease]>(REQUEST_LEASE_UPDATE, { args: [request] });
    return (await answer.catch(() => undefined))?.grant;
  }

  async giveBack(session: string, leaseId: string, held?: Held): Promise<void> {
    const handle = this.client.workflow.getHandle(sessionWorkflowId(session));
    await this.untilTaken(async () => {
      await handle.signal(SESSION_SIGNALS.releaseLease, { leaseId });
      if (held) held.givenBackMs = this.kernel.nowMs;
    }, 3);
  }

  /** So the pod's own switch knows of who holds it without working on it. */
  private async touch({ endpoint, podName }: Grant): Promise<void> {
    const url = `${endpoint}/devloop/touch`;
    const headers = { authorization: `Bearer ${tokenOf(podName)}` };
    await this.network.call(this.link, 'gates', { method: 'POST', url, query: {}, headers }).catch(() => undefined);
  }

  /** @returns whether the pod has answered: what fails is no use of it */
  private async usePod({ endpoint, podName }: Grant, leaseId: string): Promise<boolean> {
    const request = chatRequest(endpoint, tokenOf(podName), USE_SECONDS, leaseId);
    const reply = await this.network.call(this.link, 'gates', request).catch(() => undefined);
    return reply?.status === 200;
  }

  private async untilTaken(call: () => Promise<unknown>, atMost = 500): Promise<void> {
    for (let tries = 1; tries <= atMost; tries++) {
      try {
        await call();
        return;
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return;
        await this.process.sleep(TRY_AGAIN_MS);
      }
    }
  }
}

function inputFor(
  session: PodSessionInput,
  { jobId, runs, timeout, pauses = 0, project, runner }: PlannedJob,
): AgentJobInput {
  const sessionOptions: Partial<PodSessionInput> = { ...session };
  delete sessionOptions.session;
  delete sessionOptions.startedBy;
  return {
    session: session.session,
    input: inputOf(jobId, runs, pauses),
    timeoutSeconds: Math.max(5, timeout),
    sessionOptions,
    ...(project !== undefined && { project }),
    ...(runner !== undefined && { runner: RUNNERS[runner] }),
  };
}
