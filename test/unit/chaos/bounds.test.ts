import { describe, expect, it } from 'vitest';
import { boundOf, CONFIG } from '../../chaos/bounds.js';
import { FAILURE_NAMES, isTerminal, PHASES } from '../../chaos/failures.js';

describe('the bound of a failure', () => {
  it('is the sum that its arithmetic says, in every phase and for every pair', () => {
    for (const phase of PHASES)
      for (const a of FAILURE_NAMES)
        for (const b of FAILURE_NAMES) {
          const { seconds, text } = boundOf(a === b ? [a] : [a, b], phase);
          const terms = text.split(' + ').map((term) => Number(/^\d+/.exec(term)?.[0]));
          expect(
            terms.reduce((sum, term) => sum + term, 0),
            `${a} ${b} ${phase}: ${text}`,
          ).toBe(seconds);
        }
  });

  it('of a killed worker counts the restart, the start, and every timer that has to notice it', () => {
    expect(boundOf(['worker-killed'], 'idle')).toEqual({
      seconds: 64,
      text: '8 machine + 4 restart + 20 worker start + 10 workflow task + 10 sticky queue + 10 heartbeat + 2 retry',
    });
  });

  it('of everything of ours dead is the real grace of the switch and its look', () => {
    expect(boundOf(['all-dead'], 'idle')).toEqual({
      seconds: 131,
      text: '120 grace of the switch + 3 its look + 8 machine',
    });
  });

  it('knows that the switch has heard of no stop', () => {
    const extra = boundOf(['all-dead'], 'drain').seconds - boundOf(['all-dead'], 'serve').seconds;
    expect(extra).toBe(CONFIG.idleSeconds);
  });

  it('of a pair is no longer than both alone and no shorter than either', () => {
    const living = FAILURE_NAMES.filter((name) => !isTerminal(name));
    for (const phase of PHASES)
      for (const a of living)
        for (const b of living) {
          const pair = boundOf([a, b], phase).seconds;
          const [alone, other] = [boundOf([a], phase).seconds, boundOf([b], phase).seconds];
          expect(pair).toBeGreaterThanOrEqual(Math.max(alone, other));
          expect(pair).toBeLessThanOrEqual(alone + other);
        }
  });

  it('grows with the configured outage where the failure lasts as long', () => {
    const longer = { ...CONFIG, outageSeconds: CONFIG.outageSeconds + 5 };
    const grows = FAILURE_NAMES.filter(
      (name) => boundOf([name], 'serve', longer).seconds > boundOf([name], 'serve').seconds,
    );
    expect(grows).toEqual([
      'worker-frozen',
      'temporal-frozen',
      'runpod-failing',
      'pod-model',
      'pod-gate',
      'pod-container',
      'net-temporal',
      'net-runpod',
      'net-gate',
    ]);
  });
});
