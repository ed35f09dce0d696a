import { randomInteger, seededRandom, type Random } from '../../emulator/core/random.js';

/** Dice for one test; `TEST_SEED` repeats a run. The seed is in the name of whatever fails. */
export function seedOf(index = 0): number {
  const base = process.env.TEST_SEED === undefined ? Date.now() % 1_000_000_000 : Number(process.env.TEST_SEED);
  return base + index;
}

export interface Dice {
  /** A whole number, `below` not included. */
  readonly integer: (from: number, below: number) => number;
  readonly pick: <T>(from: readonly T[]) => T;
  readonly chance: (probability: number) => boolean;
  readonly text: (alphabet: string, minLength: number, maxLength: number) => string;
}

export function dice(seed: number): Dice {
  const random: Random = seededRandom(seed);
  const integer = (from: number, below: number): number => randomInteger(random, from, below);
  return {
    integer,
    pick: (from) => from[integer(0, from.length)]!,
    chance: (probability) => random() < probability,
    text: (alphabet, minLength, maxLength) =>
      Array.from({ length: integer(minLength, maxLength + 1) }, () =>
        alphabet.charAt(integer(0, alphabet.length)),
      ).join(''),
  };
}
