import { creating } from './list/creating.js';
import { ending } from './list/ending.js';
import { guarding } from './list/guarding.js';
import { losing } from './list/losing.js';
import { reaping } from './list/reaping.js';
import { renting } from './list/renting.js';
import { serving } from './list/serving.js';
import { telling } from './list/telling.js';
import { RULES, type Mutant } from './mutant.js';

const order = Object.keys(RULES);

/** In the order of the rules. */
export const mutants: readonly Mutant[] = [
  ...[renting, creating, serving, losing, ending, telling, reaping, guarding].flat(),
].sort((a, b) => order.indexOf(a.rule) - order.indexOf(b.rule));
