import { describe, expect, it } from 'vitest';
import { chooseMode } from '../../../src/cli/mode.js';

describe('where start-session and dev work', () => {
  const table = [
    { temporalSet: false, runpodKeySet: false, emulator: false, outcome: 'embedded' },
    { temporalSet: false, runpodKeySet: false, emulator: true, outcome: 'embedded' },
    { temporalSet: false, runpodKeySet: true, emulator: true, outcome: 'embedded' },
    { temporalSet: false, runpodKeySet: true, emulator: false, outcome: /not switched on yet. Use --emulator/ },
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
});
