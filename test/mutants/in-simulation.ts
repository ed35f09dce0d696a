import { mutants } from './list.js';
import { besideOf, type Mutant } from './mutant.js';
import { failingSeed, type Stories } from './run-simulation.js';
import type { Scratch } from './scratch.js';
import type { Outcome } from './table.js';

type Result = Outcome['result'];

/** Lets the simulation look for the story that needs the protection, whatever stands in for it being taken out as well. */
export async function inSimulation(mutant: Mutant, scratch: Scratch, upTo: number): Promise<Result> {
  const others = besideOf(mutant, mutants);
  const { showsWith } = mutant;
  let from = 1;
  while (from <= upTo) {
    const seed = await search(scratch, [...others, mutant], { from, seeds: upTo - from + 1, showsWith });
    if (seed === undefined) break;
    if (typeof seed !== 'number') return seed;
    const isTheirs = others.length > 0 && (await search(scratch, others, { from: seed, seeds: 1 })) !== undefined;
    if (!isTheirs) return { verdict: 'killed', by: `seed ${seed}` };
    from = seed + 1;
  }
  return { verdict: 'survived', of: `${upTo} stories` };
}

async function search(
  scratch: Scratch,
  taken: readonly Mutant[],
  stories: Stories,
): Promise<Result | number | undefined> {
  try {
    return await scratch.with(taken, () => {
      scratch.compile();
      return failingSeed(scratch.dir, stories);
    });
  } catch (error) {
    return { verdict: 'broken', why: (error as Error).message };
  }
}
