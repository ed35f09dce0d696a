/** Whole billionths of a US dollar. Sums of them are exact up to nine million dollars, where sums of fractions are not. */
export type Nanos = number;

const NANOS_PER_USD = 1e9;

export function toNanos(usd: number): Nanos {
  return Math.round(usd * NANOS_PER_USD);
}

export function toUsd(nanos: Nanos): number {
  return nanos / NANOS_PER_USD;
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

/**
 * Divides an amount in the ratio of the weights, which are not negative; alike where all are 0. Cutting at rounded running
 * totals leaves no remainder: the shares add up to the amount.
 */
export function shareOut(amount: Nanos, weights: readonly number[]): Nanos[] {
  const whole = sum(weights);
  const ratios = whole > 0 ? weights : weights.map(() => 1);
  const all = sum(ratios);
  let before = 0;
  let cut = 0;
  return ratios.map((weight) => {
    before += weight;
    const from = cut;
    cut = Math.round(amount * (before / all));
    return cut - from;
  });
}
