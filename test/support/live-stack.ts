import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Connection } from '@temporalio/client';
import { DevloopClient } from '../../src/client/index.js';
import { SESSION_PHASES, TASK_QUEUES, type SessionPhase, type SessionStatus } from '../../src/contract/index.js';
import { connectLocally } from '../../src/embedded/index.js';
import type { EmulatorRequest, LedgerPod } from './emulator.js';
import { freezeBelow, waitUntil } from './processes.js';
import { killHard, respawn, snapshot } from './respawn.js';
import { startTestStack, type TestStack, type TestStackOptions } from './stack.js';

/** `temporal.api.enums.v1.TaskQueueType` */
const WORKFLOW_QUEUE = 1;

export type Victim = 'worker' | 'temporal' | 'emulator';

/** It may have gone on since: a phase is short, and the next look may be late. */
export function hasReached({ phase }: SessionStatus, wanted: SessionPhase): boolean {
  return SESSION_PHASES.indexOf(phase) >= SESSION_PHASES.indexOf(wanted);
}

/** A real stack whose programs can be killed and started again, with the emulator's own view of what was rented. */
export class LiveStack {
  private readonly started = new Map<Victim, ChildProcess>();

  private constructor(
    readonly stack: TestStack,
    readonly client: DevloopClient,
    readonly connection: Connection,
  ) {}

  static async start(options: TestStackOptions = {}): Promise<LiveStack> {
    const stack = await startTestStack(options);
    try {
      const { temporalAddress: address, namespace } = stack.info;
      return new LiveStack(
        stack,
        await DevloopClient.connect({ address, namespace }),
        await connectLocally(address, 60_000),
      );
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  pidOf(victim: Victim): number {
    return this.started.get(victim)?.pid ?? this.stack.info.pids[victim];
  }

  /** SIGKILL; what comes back starts it again exactly as it was. */
  async kill(victim: Victim): Promise<() => void> {
    const pid = this.pidOf(victim);
    const program = snapshot(pid);
    await killHard(pid);
    return () => {
      this.started.set(victim, respawn(program));
    };
  }

  /** Every pod stands still. @returns what lets those go on that still live */
  freezePods(): () => void {
    return freezeBelow(this.stack.info.pids.emulator);
  }

  /** Resolves when the present worker polls the control queue. Temporal shows dead pollers too, for minutes. */
  async workerPolls(): Promise<number> {
    const identity = `devloop-worker@${this.pidOf('worker')}`;
    await waitUntil(
      async () => {
        const { pollers } = await this.connection.workflowService.describeTaskQueue({
          namespace: this.stack.info.namespace,
          taskQueue: { name: TASK_QUEUES.control },
          taskQueueType: WORKFLOW_QUEUE,
        });
        return pollers.some((poller) => poller.identity === identity);
      },
      { what: `${identity} polls` },
    );
    return Date.now();
  }

  async ledger(): Promise<LedgerPod[]> {
    return (await this.admin<{ pods: LedgerPod[] }>('ledger')).pods;
  }

  /** The session's pods in the emulator's ledger. */
  async podsOf(session: string): Promise<LedgerPod[]> {
    return (await this.ledger()).filter((pod) => pod.name.split('.')[2] === session);
  }

  async requests(): Promise<EmulatorRequest[]> {
    return (await this.admin<{ requests: EmulatorRequest[] }>('requests')).requests;
  }

  /** Switches a fault of the emulator on. */
  async fault(fault: Record<string, unknown>): Promise<void> {
    await this.admin('faults', { method: 'POST', body: JSON.stringify(fault) });
  }

  /** Changes settings of the emulator. */
  async settings(change: Record<string, unknown>): Promise<void> {
    await this.admin('settings', { method: 'PATCH', body: JSON.stringify(change) });
  }

  async clearFaults(): Promise<void> {
    await this.admin('faults', { method: 'DELETE' });
  }

  /** The pod's log as RunPod would show it; it outlives the pod. */
  podLog(podId: string): string {
    return readFileSync(join(dirname(this.stack.info.ledgerFile), 'logs', podId, 'container.log'), 'utf8');
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.connection.close();
    for (const child of this.started.values()) if (child.exitCode === null) child.kill('SIGKILL');
    await this.stack.stop();
  }

  private async admin<T>(what: string, init?: RequestInit): Promise<T> {
    const response = await fetch(`${this.stack.info.emulatorUrl}/admin/${what}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`/admin/${what}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}
