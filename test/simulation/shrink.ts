import { runSeed, type SeedResult } from './run-seed.js';
import { plannedFaults } from './story.js';

/** The fewest of a failing seed's faults with which it still fails, found by leaving out one after the other. */
export async function shrink(
  seed: number,
): Promise<{ readonly faults: readonly number[]; readonly result: SeedResult }> {
  let faults = plannedFaults(seed).map((_, i) => i);
  let result = await runSeed(seed, faults);
  for (const left of [...faults]) {
    const fewer = faults.filter((i) => i !== left);
    const again = await runSeed(seed, fewer);
    if (again.problems.length === 0) continue;
    faults = fewer;
    result = again;
  }
  return { faults, result };
}
