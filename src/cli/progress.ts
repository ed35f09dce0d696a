import type { Ora } from 'ora';
import { formatSeconds } from './duration.js';
import type { Output } from './output.js';

const REFRESH_MS = 200;

/** A function is asked again at every refresh: a countdown. */
export type StepText = string | (() => string);

interface Step {
  readonly startedAt: number;
  text: StepText;
}

function textOf(text: StepText): string {
  return typeof text === 'string' ? text : text();
}

/**
 * Steps that take time, several at once if need be: a spinner on a terminal, one line when a step begins and one when it ends
 * elsewhere.
 */
export class Progress {
  private readonly steps = new Map<string, Step>();
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly out: Output,
    private readonly spinner: Ora | undefined,
  ) {}

  static async create(out: Output): Promise<Progress> {
    if (!out.live) return new Progress(out, undefined);
    const { default: ora } = await import('ora');
    // Reading stdin would take Ctrl-C away from the command.
    return new Progress(
      out,
      ora({ stream: out.notes, discardStdin: false, color: out.colors.isColorSupported ? 'cyan' : false }),
    );
  }

  start(id: string, text: StepText): void {
    if (this.steps.has(id)) return;
    this.steps.set(id, { startedAt: Date.now(), text });
    if (this.spinner) this.show();
    else this.out.note(`… ${textOf(text)}`);
  }

  /** New words for a running step; on a terminal only, lest a log fills with them. */
  update(id: string, text: StepText): void {
    const step = this.steps.get(id);
    if (step) step.text = text;
  }

  /** @param seconds the step's own, where somebody measured it better than this process */
  finish(id: string, text?: string, seconds?: number): void {
    const step = this.steps.get(id);
    if (!step) return;
    this.steps.delete(id);
    const took = formatSeconds(seconds ?? (Date.now() - step.startedAt) / 1000);
    this.line(`${this.out.colors.green('✔')} ${text ?? textOf(step.text)} ${this.out.colors.dim(took)}`);
  }

  /** Ends every step without a verdict. */
  clear(): void {
    this.steps.clear();
    this.stopSpinner();
  }

  line(text: string): void {
    this.stopSpinner();
    this.out.note(text);
    this.show();
  }

  private show(): void {
    if (!this.spinner || this.steps.size === 0) return;
    const text = [...this.steps.values()]
      .map((step) => `${textOf(step.text)} ${this.out.colors.dim(formatSeconds((Date.now() - step.startedAt) / 1000))}`)
      .join(' · ');
    this.spinner.text = text;
    if (!this.spinner.isSpinning) this.spinner.start();
    this.timer ??= setInterval(() => {
      this.show();
    }, REFRESH_MS).unref();
  }

  private stopSpinner(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.spinner?.stop();
  }
}
