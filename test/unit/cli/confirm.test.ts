import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { confirm, mustAsk } from '../../../src/cli/confirm.js';
import { Interrupted } from '../../../src/cli/exit-codes.js';

describe('whether a person is asked before money is spent', () => {
  it.each([
    { terminal: true, yes: false, maxPriceGiven: false, asked: true },
    { terminal: true, yes: false, maxPriceGiven: true, asked: true },
    { terminal: true, yes: true, maxPriceGiven: false, asked: false },
    { terminal: false, yes: false, maxPriceGiven: true, asked: false },
    { terminal: false, yes: true, maxPriceGiven: true, asked: false },
  ])('$asked with %j', ({ asked, ...consent }) => {
    expect(mustAsk(consent)).toBe(asked);
  });

  it.each([true, false])('cannot be without a terminal and without a price; --yes %s changes nothing', (yes) => {
    expect(() => mustAsk({ terminal: false, yes, maxPriceGiven: false })).toThrow(/--max-price 0\.80/);
  });
});

function ask(answer: string | undefined, signal = new AbortController().signal) {
  const input = new PassThrough();
  const output = new PassThrough();
  if (answer === undefined) input.end();
  else input.write(answer);
  const outcome = confirm('Rent?', { input, output }, signal);
  return { outcome, said: () => String((output.read() as Buffer | null) ?? '') };
}

describe('the question', () => {
  it.each(['y\n', 'Y\n', 'yes\n', ' Yes \n'])('is answered by %j', async (answer) => {
    const { outcome, said } = ask(answer);
    await outcome;
    expect(said()).toBe('Rent? [y/N] ');
  });

  it.each(['\n', 'n\n', 'no\n', 'yep\n', 'ja\n', 'y n\n', undefined])(
    '%j is no yes, and nothing is started',
    async (answer) => {
      const { outcome, said } = ask(answer);
      await expect(outcome).rejects.toBeInstanceOf(Interrupted);
      expect(said()).toMatch(/nothing was started/);
    },
  );

  it('is given up at Ctrl-C', async () => {
    const interrupt = new AbortController();
    const input = new PassThrough();
    const outcome = confirm('Rent?', { input, output: new PassThrough() }, interrupt.signal);
    const reason = new Interrupted('interrupted');
    interrupt.abort(reason);
    await expect(outcome).rejects.toBe(reason);
  });
});
