import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutants } from '../mutants/list.js';
import { besideOf, by, mutated, RULES, type Mutant } from '../mutants/mutant.js';
import { line, withTable, type Outcome } from '../mutants/table.js';

const tree = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(tree, file), 'utf8');

describe('the mutants', () => {
  it.each(mutants)('$name changes what stands in $file', (mutant) => {
    const text = read(mutant.file);
    expect(mutated(text, mutant)).not.toBe(text);
  });

  it('have each a name, and a test that is there', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    for (const { killedBy } of mutants) {
      expect(existsSync(join(tree, killedBy.file)), killedBy.file).toBe(true);
      expect(read(killedBy.file).includes(killedBy.name ?? ''), killedBy.name).toBe(true);
    }
  });

  it.each(Object.keys(RULES))('take out at least two protections of "%s"', (rule) => {
    expect(mutants.filter((mutant) => mutant.rule === rule).length).toBeGreaterThanOrEqual(2);
  });

  it('are asked of the simulation, where what it runs has them', () => {
    const isRun = ({ file }: Mutant): boolean =>
      /^src\/(activities|workflows|runpod|contract|limits|reaper)/.test(file);
    const missing = mutants.filter((mutant) => isRun(mutant) && mutant.alsoSimulation === undefined);
    // Keys are no pod's bound: each has a test of its own.
    expect(missing.filter(({ rule }) => rule !== 'keys stay off').map(({ name }) => name)).toEqual([]);
  });

  it('name what stands in for them', () => {
    for (const mutant of mutants) expect(besideOf(mutant, mutants)).not.toContain(mutant);
  });

  it('refuse a text that is not there, or twice', () => {
    const mutant = { ...mutants[0]!, search: 'a', replace: 'b' };
    expect(() => mutated('xyz', mutant)).toThrow(/0 times, not once/);
    expect(() => mutated('a a', mutant)).toThrow(/2 times, not once/);
    expect(mutated('a$&', { ...mutant, replace: '$&' })).toBe('$&$&');
  });
});

describe('what is told of the mutants', () => {
  const kinds: Pick<Mutant, 'name' | 'killedBy' | 'alsoSimulation'>[] = [
    { name: 'a', killedBy: by('unit/x'), alsoSimulation: true },
    { name: 'b', killedBy: by('unit/x'), alsoSimulation: undefined },
    { name: 'c', killedBy: by('unit/x'), alsoSimulation: { beside: ['a', 'b'] } },
  ];
  const some: Mutant[] = kinds.map((kind) => ({
    ...mutants[0]!,
    rule: 'create',
    takenOut: `no ${kind.name}`,
    ...kind,
  }));
  const killed: Outcome = {
    mutant: some[0]!,
    suite: 'tests',
    seconds: 1,
    result: { verdict: 'killed', by: 'unit/x: a | b' },
  };
  const survived: Outcome = {
    mutant: some[0]!,
    suite: 'simulation',
    seconds: 2,
    result: { verdict: 'survived', of: '7 stories' },
  };
  const document = read('docs/guarantee.md');

  it('is a line each, that shows a survivor', () => {
    expect([killed, survived].map(line)).toEqual([
      expect.stringMatching(/ \| killed by unit\/x: a \| b \| 1\.0 s$/),
      expect.stringMatching(/ \| SURVIVED 7 stories \| 2\.0 s$/),
    ]);
  });

  it('is a table in the document, in place of the one before', () => {
    const once = withTable(document, some, [killed, survived]);
    expect(once).toContain(
      '| create | no a | unit/x: a \\| b | not within 7 stories |\n| create | no b | not run | – |\n',
    );
    expect(once).toContain('| create | no c | not run | not run |\n\n<!-- /mutants -->');
    expect(once).not.toContain('not in the name of the pod');
    expect(() => withTable('no markers', some, [])).toThrow('the document has no');
  });

  it('keeps what was said of those that were not run', () => {
    const once = withTable(document, some, [killed, survived]);
    expect(withTable(once, some, [])).toBe(once);
    const later = withTable(once, some, [{ ...survived, result: { verdict: 'killed', by: 'seed 3' } }]);
    expect(later).toContain('| create | no a | unit/x: a \\| b | seed 3 |');
    const pair: Outcome = { ...survived, mutant: some[2]!, result: { verdict: 'killed', by: 'seed 4' } };
    const told = '| create | no c | not run | seed 4, where also no a, where also no b |';
    expect(withTable(once, some, [pair])).toContain(told);
  });

  it('stands in the document, for every one of them', () => {
    expect(withTable(document, mutants, [])).toBe(document);
    expect(document).not.toContain('| not run |');
  });
});
