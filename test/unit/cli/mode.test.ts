import { describe, expect, it } from 'vitest';
import { chooseMode, embeddedModeLine } from '../../../src/cli/mode.js';

describe('where start-session and dev work', () => {
  const table = [
    { temporalSet: false, runpodKeySet: false, emulator: false, outcome: 'emulator' },
    { temporalSet: false, runpodKeySet: false, emulator: true, outcome: 'emulator' },
    { temporalSet: false, runpodKeySet: true, emulator: true, outcome: 'emulator' },
    { temporalSet: false, runpodKeySet: true, emulator: false, outcome: 'account' },
    { temporalSet: true, runpodKeySet: false, emulator: false, outcome: 'external' },
    { temporalSet: true, runpodKeySet: true, emulator: false, outcome: 'external' },
    { temporalSet: true, runpodKeySet: false, emulator: true, outcome: /Leave out --emulator/ },
    { temporalSet: true, runpodKeySet: true, emulator: true, outcome: /Leave out --emulator/ },
  ];

  it.each(table)(
    '$temporalSet/$runpodKeySet/$emulator (Temporal, key, --emulator): $outcome',
    ({ outcome, ...facts }) => {
      if (typeof outcome === 'string') expect(chooseMode(facts)).toBe(outcome);
      else expect(() => chooseMode(facts)).toThrow(outcome);
    },
  );

  it('is said in one line that names both choices, and money where it is spent', () => {
    expect(embeddedModeLine(undefined)).toBe('Temporal: embedded · RunPod: emulator (no account, no charge)');
    expect(embeddedModeLine('https://api.runpod.io/v2')).toBe(
      'Temporal: embedded · RunPod: api.runpod.io (a real account: pods cost $)',
    );
  });
});
