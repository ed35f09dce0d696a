import type { AgentLimits, Usage } from '../contract/index.js';
import { AgentFault } from './faults.js';

/** Bounds an agent that goes round in circles with its tools. */
const DEFAULT_MODEL_CALLS = 25;

/** What a run has used of its limits. */
export interface Spent {
  readonly modelCalls: number;
  /** Input and output. */
  readonly tokens: number;
  readonly seconds: number;
}

const NOTHING: Spent = { modelCalls: 0, tokens: 0, seconds: 0 };

/** Counts a run's use of its limits and ends it when one is passed. Whatever agent runs: it sits on the way to the model. */
export class RunBudget {
  readonly maxModelCalls: number;
  readonly #over = new AbortController();
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #modelCalls: number;
  #tokens: number;
  /** Of calls that have not told their tokens yet: a piece of an answer is at least one. */
  #pieces = 0;

  /** @param before what earlier attempts of the same job used */
  constructor(
    private readonly limits: AgentLimits,
    private readonly before: Spent = NOTHING,
    private readonly onSpent: (spent: Spent) => void = () => undefined,
  ) {
    this.maxModelCalls = limits.modelCalls ?? DEFAULT_MODEL_CALLS;
    this.#modelCalls = before.modelCalls;
    this.#tokens = before.tokens;
    if (limits.seconds === undefined) return;
    const text = `limits.seconds: ${limits.seconds} s are over`;
    const leftMs = Math.max(0, limits.seconds - before.seconds) * 1000;
    this.#timer = setTimeout(() => {
      this.#stop(text);
    }, leftMs);
  }

  /** Fires with the AgentFault `AGENT_LIMIT` that names the limit. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get spent(): Spent {
    const seconds = this.before.seconds + (performance.now() - this.#startedMs) / 1000;
    return { modelCalls: this.#modelCalls, tokens: this.#tokens + this.#pieces, seconds };
  }

  /** @throws AgentFault when there may be no further call */
  callBegins(): void {
    if (this.#modelCalls >= this.maxModelCalls) this.#stop(`limits.modelCalls: ${this.#modelCalls} were made`);
    this.signal.throwIfAborted();
    this.#modelCalls += 1;
    this.onSpent(this.spent);
  }

  pieceCame(): void {
    this.#pieces += 1;
    this.#checkTokens();
  }

  callEnded({ inputTokens, outputTokens }: Usage): void {
    this.#tokens += Math.max(inputTokens + outputTokens, this.#pieces);
    this.#pieces = 0;
    this.#checkTokens();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #checkTokens(): void {
    const { spent } = this;
    this.onSpent(spent);
    const { tokens = Infinity } = this.limits;
    if (spent.tokens > tokens) this.#stop(`limits.tokens: more than ${tokens} were used`);
  }

  #stop(text: string): void {
    this.#over.abort(new AgentFault('non-retryable', 'AGENT_LIMIT', `the agent was stopped: ${text}`));
  }
}
