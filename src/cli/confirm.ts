import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { DevloopError } from '../contract/errors.js';
import { Interrupted } from './exit-codes.js';

/** How somebody agrees to spend money. */
export interface Consent {
  /** `--yes`. */
  readonly yes: boolean;
  /** `--max-price` was given: a price that was agreed to in writing. */
  readonly maxPriceGiven: boolean;
  /** Somebody sits at a terminal: a question can be asked and be seen. */
  readonly terminal: boolean;
}

export interface Streams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/**
 * Whether a person has to be asked. Without a terminal nobody can be, and `--yes` in a script that nobody watches agrees to
 * any price: there a price has to be written down.
 * @throws DevloopError `CONFIG_INVALID` when neither is possible
 */
export function mustAsk({ yes, maxPriceGiven, terminal }: Consent): boolean {
  if (terminal) return !yes;
  if (maxPriceGiven) return false;
  throw new DevloopError(
    'CONFIG_INVALID',
    'RUNPOD_API_KEY is set, so this rents for money, and without a terminal nobody can be asked. Say what may be paid an hour, such as --max-price 0.80; or use --emulator (no account, no charge).',
  );
}

/**
 * Asks, and goes on only after an explicit yes.
 * @throws Interrupted for every other answer, the end of the input, and Ctrl-C
 */
export async function confirm(question: string, { input, output }: Streams, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  // The terminal keeps its own line editing, and Ctrl-C stays a signal that the command sees.
  const lines = createInterface({ input, output, terminal: false });
  try {
    // The end of the input leaves the cursor behind the question.
    const ended = once(lines, 'close').then(() => '\n');
    const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), ended]);
    if (/^\s*y(es)?\s*$/i.test(answer)) return;
    if (answer === '\n') output.write(answer);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
  output.write('Not confirmed: nothing was started and nothing is paid.\n');
  throw new Interrupted('not confirmed');
}
