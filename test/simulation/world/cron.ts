import { endPods, isLate, isRunPodError, surveyPods } from '../../../src/runpod/index.js';
import type { Kernel } from '../kernel/kernel.js';
import { SimProcess } from '../kernel/process.js';
import { OWNER } from '../../support/tester.js';
import { gateOf, runPodClientOf } from './activities.js';
import { PROXY_URL } from './cloud.js';
import { Link, type Network } from './network.js';

const EVERY_MS = 900_000;
const END_WITHIN_MS = 180_000;

/** `devloop reap` on another machine: RunPod's list and a key, nothing else of ours. */
export class Cron {
  /** Pods that it has ended, and seen gone by then. */
  readonly believedGone: { readonly podId: string; readonly atMs: number }[] = [];
  private readonly process: SimProcess;
  private readonly link: Link;

  constructor(
    private readonly kernel: Kernel,
    private readonly network: Network,
    private readonly skewSeconds: number,
  ) {
    this.process = new SimProcess(kernel, 'cron');
    this.link = new Link(this.process);
  }

  begin(): void {
    this.kernel.at(this.kernel.nowMs + EVERY_MS * this.kernel.random(), () => void this.round());
  }

  private async round(): Promise<void> {
    this.kernel.at(this.kernel.nowMs + EVERY_MS, () => void this.round());
    const { sleep } = this.process;
    const clock = (): number => this.process.clock() + this.skewSeconds * 1000;
    const runpod = runPodClientOf(this.network, this.link, clock);
    const { signal } = new AbortController();
    const isMine = (owner: string): boolean => owner.startsWith(OWNER.slice(0, -8));
    try {
      const pods = await surveyPods({
        runpod,
        proxyUrl: PROXY_URL,
        gate: gateOf(this.network, this.link),
        isMine,
        signal,
      });
      const late = pods.filter(isLate).map(({ pod }) => pod.id);
      const { left } = await endPods(late, { runpod, clock, sleep, signal, withinMs: END_WITHIN_MS });
      for (const podId of late.filter((id) => !left.includes(id)))
        this.believedGone.push({ podId, atMs: this.kernel.nowMs });
    } catch (error) {
      // The next round reads the list again.
      if (!isRunPodError(error)) throw error;
    }
  }
}
