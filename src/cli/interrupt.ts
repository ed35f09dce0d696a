import { EXIT, Interrupted } from './exit-codes.js';
import type { Output } from './output.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C, SIGTERM and a closed terminal: the first aborts `signal`, the second leaves at once. */
export class Interrupt {
  private readonly controller = new AbortController();
  /** What is left behind when somebody does not want to wait; set it as the command goes on. */
  remains = '';
  /** What must still happen, at once, when somebody does not want to wait. */
  lastWords: () => void = () => undefined;

  constructor(private readonly out: Output) {
    for (const name of SIGNALS) process.on(name, this.onSignal);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Says what is left behind. */
  tell(): void {
    if (this.remains !== '') this.out.error(this.remains);
  }

  dispose(): void {
    for (const name of SIGNALS) process.off(name, this.onSignal);
  }

  private readonly onSignal = (): void => {
    if (!this.controller.signal.aborted) {
      this.controller.abort(new Interrupted('interrupted'));
      return;
    }
    this.lastWords();
    this.out.error(`Leaving at once. ${this.remains}`.trimEnd());
    process.exit(EXIT.interrupted);
  };
}

/** The promise, or `Interrupted` with a word about what remains. What the promise does goes on unseen. */
export async function untilInterrupted<T>(promise: Promise<T>, interrupt: Interrupt): Promise<T> {
  const { signal } = interrupt;
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      interrupt.tell();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
