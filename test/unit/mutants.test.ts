import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutants } from '../mutants/list.js';
import { isForTests, mutated, RULES } from '../mutants/mutant.js';
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
    for (const { killedBy } of mutants.filter(isForTests)) {
      expect(existsSync(join(tree, killedBy.file)), killedBy.file).toBe(true);
      expect(read(killedBy.file).includes(killedBy.name ?? ''), killedBy.name).toBe(true);
    }
  });

  it.each(Object.keys(RULES))('take out at least two protections of "%s"', (rule) => {
    expect(mutants.filter((mutant) => mutant.rule === rule).length).toBeGreaterThanOrEqual(2);
  });

  it('refuse a text that is not there, or twice', () => {
    const mutant = { ...mutants[0]!, search: 'a', replace: 'b' };
    expect(() => mutated('xyz', mutant)).toThrow(/0 times, not once/);
    expect(() => mutated('a a', mutant)).toThrow(/2 times, not once/);
    expect(mutated('a$&', { ...mutant, replace: '$&' })).toBe('$&$&');
  });
});

describe('what is told of the mutants', () => {
  const [mutant] = mutants;
  const outcomes: Outcome[] = [
    { mutant: mutant!, suite: 'tests', seconds: 1, result: { verdict: 'killed', by: 'unit/x: a | b' } },
    { mutant: mutant!, suite: 'simulation', seconds: 2, result: { verdict: 'survived' } },
  ];

  it('is a line each, that shows a survivor', () => {
    expect(outcomes.map(line)).toEqual([
      expect.stringMatching(/ \| killed by unit\/x: a \| b \| 1\.0 s$/),
      expect.stringMatching(/ \| SURVIVED simulation \| 2\.0 s$/),
    ]);
  });

  it('is a table in the document, in place of the one before', () => {
    const document = read('docs/guarantee.md');
    const once = withTable(document, outcomes);
    expect(once).toContain(`| ${mutant!.rule} | ${mutant!.takenOut} | unit/x: a \\| b | SURVIVED |`);
    expect(withTable(once, outcomes)).toBe(once);
    expect(() => withTable('no markers', outcomes)).toThrow('the document has no');
  });
});
