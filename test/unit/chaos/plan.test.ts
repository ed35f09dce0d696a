import { describe, expect, it } from 'vitest';
import { FAILURE_NAMES, FAILURES, impossibleIn, isTerminal, PHASES } from '../../chaos/failures.js';
import { allPairs, planRuns } from '../../chaos/plan.js';

const seeds = [1, 2, 3, 500, 999_999];

describe('the plan of 100 runs', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planRuns({ runs: 100, seed: 7 })).toEqual(planRuns({ runs: 100, seed: 7 }));
    expect(planRuns({ runs: 100, seed: 7 })).not.toEqual(planRuns({ runs: 100, seed: 8 }));
  });

  it.each(seeds)('has every possible single failure × phase at least three times (seed %i)', (seed) => {
    const runs = planRuns({ runs: 100, seed });
    for (const name of FAILURE_NAMES)
      for (const phase of PHASES) {
        const alone = runs.filter(({ failures }) => failures.length === 1 && failures[0]?.name === name);
        const sessions = alone.flatMap((run) => run.sessions).filter((session) => session.phase === phase);
        if (impossibleIn(name, phase) === undefined) expect(sessions.length).toBeGreaterThanOrEqual(3);
        else expect(sessions).toEqual([]);
      }
  });

  it.each(seeds)('has every pair at least once (seed %i)', (seed) => {
    const runs = planRuns({ runs: 100, seed });
    for (const pair of allPairs()) {
      const met = runs.some(({ failures }) => {
        const groups = failures.map(({ name }) => FAILURES[name].group);
        return failures.length === 2 && pair.every((group) => groups.includes(group));
      });
      expect(met, pair.join(' + ')).toBe(true);
    }
  });

  it('lets every failure happen in each of its manners', () => {
    const manners = new Set(
      planRuns({ runs: 100, seed: 7 }).flatMap(({ failures }) =>
        failures.map(({ name, manner }) => `${name} ${manner}`),
      ),
    );
    for (const name of FAILURE_NAMES)
      for (const manner of FAILURES[name].manners) expect(manners).toContain(`${name} ${manner}`);
  });

  it('names every session once, and lets what kills for good come last', () => {
    const runs = planRuns({ runs: 100, seed: 7 });
    const names = runs.flatMap(({ sessions }) => sessions.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    for (const { failures } of runs) {
      expect(failures.slice(0, -1).some(({ name }) => isTerminal(name))).toBe(false);
      expect(failures[0].afterSeconds).toBe(0);
    }
  });

  it('keeps to the failures that are asked for', () => {
    const runs = planRuns({ runs: 20, seed: 7, failures: ['worker-killed', 'net-gate'] });
    expect(runs).toHaveLength(20);
    const struck = new Set(runs.flatMap(({ failures }) => failures.map(({ name }) => name)));
    expect([...struck].sort()).toEqual(['net-gate', 'worker-killed']);
    expect(runs.filter(({ failures }) => failures.length === 2).length).toBeGreaterThan(0);
  });
});
