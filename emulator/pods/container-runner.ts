import { z } from 'zod';
import path from 'node:path';
import type { PodRecord } from '../core/pod.js';
import { httpPorts } from '../core/pod.js';
import { endContainer, folderVariable, runContainer, signalStrays, watchProcess } from './container.js';
import { FreePorts } from './free-ports.js';
import { destroyDisk, podFolder, podsFolder, prepareDisk } from './pod-disk.js';
import { isRunning, withEnvironment, type ProcessIdentity } from './process-table.js';

/** A running container as it is kept on disk, so that a next emulator can take it over. Ports: declared → real. */
export const runningContainerSchema = z.strictObject({
  generation: z.int(),
  pid: z.int(),
  startedAt: z.string(),
  ports: z.record(z.string(), z.int()),
});
export type RunningContainer = z.infer<typeof runningContainerSchema>;
/** By pod id. */
export type RunningContainers = Readonly<Record<string, RunningContainer>>;

interface Running {
  readonly generation: number;
  readonly identity: ProcessIdentity;
  readonly ports: Readonly<Record<string, number>>;
  readonly unwatch: () => void;
}

const keptForm = ({ generation, identity, ports }: Running): RunningContainer => ({
  generation,
  ...identity,
  ports: { ...ports },
});

/** What the runner needs of the rest of the emulator. */
export interface RunnerHost {
  readonly dataDir: string;
  /** RunPod's API as pods reach it, `…/v2`. */
  readonly apiUrl: () => string;
  readonly graceMs: () => number;
  readonly livePod: (podId: string) => Readonly<PodRecord> | undefined;
  readonly environmentOf: (pod: Readonly<PodRecord>) => Record<string, string>;
  readonly logFileOf: (podId: string) => string;
  readonly onEnded: (podId: string, generation: number, how: string) => void;
  /** A container runs, or (null) runs no more: to be kept for a next emulator. */
  readonly onChange: (podId: string, running: RunningContainer | null) => void;
}

/** Runs the pods' containers as process groups. What is asked for one pod happens in the order of asking. */
export class ContainerRunner {
  private readonly running = new Map<string, Running>();
  private readonly queues = new Map<string, Promise<void>>();
  private readonly freePorts = new FreePorts();
  private closing = false;

  constructor(private readonly host: RunnerHost) {}

  start(podId: string, generation: number): void {
    this.enqueue(podId, () => this.startNow(podId, generation));
  }

  stop(podId: string, destroy: boolean): void {
    this.enqueue(podId, async () => {
      await this.endNow(podId);
      if (destroy) await destroyDisk(this.host.dataDir, podId);
    });
  }

  /** The real port behind a declared one; undefined while no container runs. */
  portOf(podId: string, declared: number): number | undefined {
    return this.running.get(podId)?.ports[String(declared)];
  }

  /** All that run, to be kept for a next emulator. */
  snapshot(): RunningContainers {
    return Object.fromEntries([...this.running].map(([podId, running]) => [podId, keptForm(running)]));
  }

  /**
   * Takes over what an earlier emulator left: containers that still run go on under this one, those of ended pods and
   * whatever else carries a pod folder of this data directory is ended, and dead ones are reported as ended.
   */
  async takeOver(left: RunningContainers, pods: readonly Readonly<PodRecord>[]): Promise<void> {
    const dead: Readonly<PodRecord>[] = [];
    for (const pod of pods.filter((candidate) => candidate.container.upSinceMs !== null)) {
      const was = left[pod.id];
      if (was?.generation === pod.container.generation && isRunning(was)) this.adopt(pod.id, was);
      else dead.push(pod);
    }
    const orphans = Object.entries(left).filter(([podId]) => !this.running.has(podId));
    await Promise.all(
      orphans.map(async ([podId, was]) => {
        await endContainer(was, podFolder(this.host.dataDir, podId), this.host.graceMs());
        this.host.onChange(podId, null);
      }),
    );
    this.killStrays();
    for (const pod of dead) this.host.onEnded(pod.id, pod.container.generation, 'the machine was restarted');
  }

  /** Ends all containers, for the emulator's own end. */
  async endAll(): Promise<void> {
    this.closing = true;
    for (const podId of this.running.keys()) this.stop(podId, false);
    while (this.queues.size > 0) await Promise.all(this.queues.values());
    this.killStrays();
  }

  private enqueue(podId: string, work: () => Promise<void>): void {
    const before = this.queues.get(podId) ?? Promise.resolve();
    const after = before.then(work).catch((error: unknown) => {
      process.stderr.write(`emulator: pod ${podId}: ${error instanceof Error ? error.message : String(error)}\n`);
    });
    const done = after.then(() => {
      if (this.queues.get(podId) === done) this.queues.delete(podId);
    });
    this.queues.set(podId, done);
  }

  private async startNow(podId: string, generation: number): Promise<void> {
    await this.endNow(podId);
    if (!this.isWanted(podId, generation)) return;
    const pod = this.host.livePod(podId);
    if (!pod) return;
    let ports: number[] = [];
    try {
      await prepareDisk(this.host.dataDir, pod);
      const declared = httpPorts(pod);
      ports = await this.freePorts.take(declared.length);
      if (!this.isWanted(podId, generation)) return;
      this.launch(pod, generation, Object.fromEntries(declared.map((port, index) => [port, ports[index] ?? 0])));
    } catch (error) {
      this.host.onEnded(podId, generation, error instanceof Error ? error.message : String(error));
    } finally {
      if (!this.running.has(podId)) this.freePorts.giveBack(ports);
    }
  }

  private isWanted(podId: string, generation: number): boolean {
    const container = this.host.livePod(podId)?.container;
    return !this.closing && container?.generation === generation && container.upSinceMs !== null;
  }

  private launch(pod: Readonly<PodRecord>, generation: number, ports: Record<string, number>): void {
    const environment = {
      ...this.host.environmentOf(pod),
      RUNPOD_API_URL: this.host.apiUrl(),
      ...Object.fromEntries(Object.entries(ports).map(([declared, real]) => [`EMULATOR_PORT_${declared}`, `${real}`])),
    };
    const folder = podFolder(this.host.dataDir, pod.id);
    const place = { folder, logFile: this.host.logFileOf(pod.id), environment };
    const identity = runContainer(pod, place, (how) => {
      this.ended(pod.id, generation, how);
    });
    if (!identity) return;
    const running = { generation, identity, ports, unwatch: () => undefined };
    this.running.set(pod.id, running);
    this.host.onChange(pod.id, keptForm(running));
  }

  private adopt(podId: string, was: RunningContainer): void {
    const { generation, ports, pid, startedAt } = was;
    const identity = { pid, startedAt };
    const unwatch = watchProcess(identity, () => {
      this.ended(podId, generation, 'exit code unknown');
    });
    this.freePorts.keep(Object.values(ports));
    this.running.set(podId, { generation, identity, ports, unwatch });
  }

  /** The main process is gone: so is the rest of its container, before anybody hears of it. */
  private ended(podId: string, generation: number, how: string): void {
    this.enqueue(podId, async () => {
      if (this.running.get(podId)?.generation === generation) await this.endNow(podId);
      if (!this.closing) this.host.onEnded(podId, generation, how);
    });
  }

  private async endNow(podId: string): Promise<void> {
    const running = this.running.get(podId);
    if (!running) return;
    running.unwatch();
    await endContainer(running.identity, podFolder(this.host.dataDir, podId), this.host.graceMs());
    this.running.delete(podId);
    this.freePorts.giveBack(Object.values(running.ports));
    this.host.onChange(podId, null);
  }

  /** Processes of pods that run no container any more: left by an emulator that was killed while it ended them. */
  private killStrays(): void {
    const root = podsFolder(this.host.dataDir) + path.sep;
    for (const { value } of withEnvironment(folderVariable, root)) {
      if (!this.running.has(value.slice(root.length))) signalStrays(value, 'SIGKILL');
    }
  }
}
