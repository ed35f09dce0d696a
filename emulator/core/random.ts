/** A source of numbers in [0, 1). The core takes one, so that a seed fixes every id and every drawn fault. */
export type Random = () => number;

/** Mulberry32: 32 bits of state, good enough for ids and dice, the same numbers on every platform. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

export const randomInteger = (random: Random, from: number, below: number): number =>
  from + Math.floor(random() * (below - from));

export const randomText = (random: Random, length: number, alphabet: string = letters): string =>
  Array.from({ length }, () => alphabet.charAt(randomInteger(random, 0, alphabet.length))).join('');

/** Text in the form of a version 4 UUID, for `x-request-id`. */
export function randomUuid(random: Random): string {
  const hex = (length: number): string => randomText(random, length, '0123456789abcdef');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${randomText(random, 1, '89ab')}${hex(3)}-${hex(12)}`;
}
