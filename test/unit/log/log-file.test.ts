import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { addLines, readLines } from '../../../src/log/log-file.js';

const schema = z.object({ runId: z.string(), endedAt: z.string() });
const line = (runId: string, minute: number) => ({ runId, endedAt: `2026-06-01T12:0${minute}:00.000Z` });

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'devloop-log-'));
  file = join(folder, 'jobs.jsonl');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a log file', () => {
  it('gets each run once, in the order of their ends, and never a field that it does not name', () => {
    const secret = { ...line('b', 2), input: 'SECRET' };
    expect(addLines(file, schema, [secret, line('a', 1)])).toBe(2);
    expect(addLines(file, schema, [line('a', 1), line('c', 0)])).toBe(1);
    expect(readLines(file, schema).map(({ runId }) => runId)).toEqual(['a', 'b', 'c']);
    expect(readFileSync(file, 'utf8')).not.toContain('SECRET');
    expect(readdirSync(folder)).toEqual(['jobs.jsonl']);
  });

  it('stays as it is when there is nothing new', () => {
    addLines(file, schema, [line('a', 1)]);
    const before = statSync(file);
    addLines(file, schema, [line('a', 1)]);
    expect(statSync(file).ino).toBe(before.ino);
  });

  it.each([
    ['{"runId":"b","end', ['a', 'c']],
    ['{"runId":"b","endedAt":"x"}', ['a', 'b', 'c']],
  ])('whose last line ends with %j goes on with whole lines', (rest, runs) => {
    addLines(file, schema, [line('a', 1)]);
    writeFileSync(file, readFileSync(file, 'utf8') + rest);
    addLines(file, schema, [line('c', 3)]);
    expect(readLines(file, schema).map(({ runId }) => runId)).toEqual(runs);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(runs.length + 1);
  });

  it.each([
    ['not JSON\n', /line 1 is no JSON.*take the file back from git/],
    ['{"runId":"a","endedAt":"x"}\n{"runId":7}\n', /line 2: runId: /],
  ])('with %j is refused, not repaired', (text, message) => {
    writeFileSync(file, text);
    expect(() => addLines(file, schema, [line('c', 3)])).toThrow(message);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('that is not there has no lines', () => {
    expect(readLines(file, schema)).toEqual([]);
  });
});
