import type { SimWorker } from '../worker/sim-worker.js';
import type { ServerClock } from './server-clock.js';

export interface QueuedTask {
  readonly kind: 'workflow' | 'activity';
  readonly isStale: () => boolean;
  readonly offer: (worker: SimWorker) => void;
}

/** Tasks wait for workers that poll with a free slot. Who gets one is luck. */
export class TaskQueues {
  private readonly waiting = new Map<string, QueuedTask[]>();
  private readonly workers: SimWorker[] = [];

  constructor(private readonly clock: ServerClock) {}

  addWorker(worker: SimWorker): void {
    this.workers.push(worker);
    this.pumpAll();
  }

  removeWorker(worker: SimWorker): void {
    this.workers.splice(this.workers.indexOf(worker), 1);
  }

  add(taskQueue: string, task: QueuedTask): void {
    this.clock.soon(() => {
      const waiting = this.waiting.get(taskQueue);
      if (waiting) waiting.push(task);
      else this.waiting.set(taskQueue, [task]);
      this.pump(taskQueue);
    });
  }

  pumpAll(): void {
    for (const taskQueue of this.waiting.keys()) this.pump(taskQueue);
  }

  pump(taskQueue: string): void {
    const waiting = this.waiting.get(taskQueue);
    if (!waiting || waiting.length === 0 || !this.clock.isUp) return;
    const kept: QueuedTask[] = [];
    this.waiting.set(taskQueue, kept);
    for (const task of waiting) {
      if (task.isStale()) continue;
      const polling = this.workers.filter((worker) => worker.polls(taskQueue, task.kind));
      if (polling.length === 0) kept.push(task);
      else {
        const worker = polling.length === 1 ? polling[0]! : this.clock.kernel.pick(polling);
        worker.takePoll(taskQueue);
        task.offer(worker);
      }
    }
  }
}
