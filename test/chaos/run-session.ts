import type { SubmittedJob } from '../../src/client/index.js';
import { DevloopError } from '../../src/contract/index.js';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChaosConfig } from './bounds.js';
import type { ChaosStack } from './chaos-stack.js';
import type { SessionFacts } from './judge.js';
import type { PlannedSession } from './plan.js';

/** From submission to answer: whatever fails, a job has ended by then, and says how. Part of it is the wait for the strike. */
const JOB_SECONDS = 300;
/** Beyond that a job that says nothing is one that was forgotten. */
const FORGOTTEN_MS = (JOB_SECONDS + 60) * 1000;
/** After its job a session has its idle time and its stop before it, and what failures add; the ledger judges how much that may be. */
const END_MS = 300_000;
const RETRY_MS = 1000;
/** Nothing is known of the job or session then: it is asked again. */
const PASSING = ['TEMPORAL_UNREACHABLE', 'NO_WORKER'];

/** One session of a run with its one job, from outside: as a program that uses Devloop. */
export class RunSession {
  stopAskedMs: number | undefined;
  podKilledMs: number | undefined;
  #job: SubmittedJob | undefined;
  #submittedMs = 0;

  constructor(
    private readonly stack: ChaosStack,
    readonly planned: PlannedSession,
    private readonly config: ChaosConfig,
  ) {}

  get name(): string {
    return this.planned.name;
  }

  get facts(): SessionFacts {
    return { session: this.name, stopAskedMs: this.stopAskedMs, podKilledMs: this.podKilledMs };
  }

  /** A job that is held gets its answer when it is released. */
  async submit(held: boolean): Promise<void> {
    const { idleSeconds, readySeconds, drainSeconds } = this.config;
    this.#submittedMs = Date.now();
    this.#job = await this.stack.client.submitJob({
      session: this.name,
      input: held ? `hold:${this.name}` : 'say something',
      timeoutSeconds: JOB_SECONDS,
      sessionOptions: {
        idleTimeoutSeconds: idleSeconds,
        readyTimeoutSeconds: readySeconds,
        drainSeconds,
        maxLifetimeSeconds: 1800,
      },
    });
  }

  release(): void {
    this.stack.models.release(this.name);
  }

  async askToStop(): Promise<void> {
    await this.stack.client.session(this.name).stop('asked by the chaos run');
    this.stopAskedMs = Date.now();
  }

  /** How the job ended: `answered`, or the code of its failure. Undefined: it said nothing in its time. */
  async jobOutcome(): Promise<string | undefined> {
    const job = this.#job;
    if (job === undefined) return undefined;
    return this.#patiently(this.#submittedMs + FORGOTTEN_MS, async (signal) => {
      await job.handle.result(signal);
      return 'answered';
    });
  }

  /** Resolves when the newest session of this name has ended, whatever way. False: it did not in its time. */
  async ended(): Promise<boolean> {
    const outcome = await this.#patiently(Date.now() + END_MS, async (signal) => {
      await this.stack.client.session(this.name).result(signal);
      return 'ended';
    });
    return outcome !== undefined;
  }

  async #patiently(untilMs: number, ask: (signal: AbortSignal) => Promise<string>): Promise<string | undefined> {
    while (Date.now() < untilMs) {
      try {
        return await ask(AbortSignal.timeout(untilMs - Date.now()));
      } catch (error) {
        if (!(error instanceof DevloopError)) return undefined;
        if (!PASSING.includes(error.code)) return error.code;
      }
      await delay(RETRY_MS);
    }
    return undefined;
  }
}
