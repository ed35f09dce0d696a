import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { AIMessage } from '@langchain/core/messages';
import type { LLMResult } from '@langchain/core/outputs';
import type { Usage } from '../contract/index.js';
import type { RunBudget } from './run-budget.js';

/** What Ollama's last piece of an answer tells, durations in nanoseconds (Ollama API, `/api/chat`). */
interface OllamaFigures {
  load_duration?: number;
  eval_count?: number;
  eval_duration?: number;
}

/** Sums the figures of a run's model calls and reports every piece of an answer. */
export class RunMeter extends BaseCallbackHandler {
  override readonly name = 'devloop-run-meter';
  /** LangChain then streams on `invoke` too, with either kind of model. */
  readonly lc_prefer_streaming = true;
  readonly usage: Usage = { inputTokens: 0, outputTokens: 0 };
  #loadSeconds = 0;
  #evalSeconds = 0;
  #evalTokens = 0;

  constructor(
    private readonly budget: RunBudget,
    private readonly onToken: (text: string) => void = () => undefined,
  ) {
    // In the background, as by default, the last call's figures could come after the run's end.
    super({ raiseError: true });
  }

  override handleLLMNewToken(token: string): void {
    this.onToken(token);
    this.budget.pieceCame();
  }

  override handleLLMEnd(result: LLMResult): void {
    for (const generation of result.generations.flat()) {
      const message = 'message' in generation ? generation.message : undefined;
      if (!AIMessage.isInstance(message)) continue;
      const { input_tokens: inputTokens = 0, output_tokens: outputTokens = 0 } = message.usage_metadata ?? {};
      this.usage.inputTokens += inputTokens;
      this.usage.outputTokens += outputTokens;
      this.budget.callEnded({ inputTokens, outputTokens });
      const figures = message.response_metadata as OllamaFigures;
      this.#loadSeconds += (figures.load_duration ?? 0) / 1e9;
      this.#evalSeconds += (figures.eval_duration ?? 0) / 1e9;
      this.#evalTokens += figures.eval_count ?? 0;
    }
  }

  /** Empty when the server told nothing. */
  get timings(): { loadSeconds?: number; evalSeconds?: number; tokensPerSecond?: number } {
    if (this.#evalSeconds === 0) return {};
    return {
      loadSeconds: this.#loadSeconds,
      evalSeconds: this.#evalSeconds,
      tokensPerSecond: this.#evalTokens / this.#evalSeconds,
    };
  }
}
