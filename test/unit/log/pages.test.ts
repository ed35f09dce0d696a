import { describe, expect, it } from 'vitest';
import type { JobFacts } from '../../../src/log/job-facts.js';
import { pagesOf, quantile } from '../../../src/log/pages.js';
import { at, leaseOf, podOf, sessionOf } from '../cost/session-story.js';

const EVIL = '| <b>[x](http://y) {{ site.github }} `z` $a$\nnext';

function jobOf(change: Partial<JobFacts> = {}): JobFacts {
  return {
    runId: 'job-run',
    jobId: 'job-1',
    session: 'train',
    agent: 'chat',
    state: 'done',
    startedAt: at('01T12:00:00'),
    endedAt: at('01T12:20:00'),
    ...change,
  };
}

describe('the pages of the log', () => {
  it('are an index and one for each month, which cuts what lasted over its end', () => {
    const pods = [podOf({ createdAt: at('30T23:00:00'), endedAt: '2026-07-01T01:00:00.000Z' })];
    const over = sessionOf({ startedAt: at('30T23:00:00'), endedAt: '2026-07-01T01:00:00.000Z', pods });
    const pages = pagesOf({ sessions: [sessionOf(), over], jobs: [jobOf()] });
    expect([...pages.keys()]).toEqual(['index.md', '2026-07.md', '2026-06.md']);
    expect(pages.get('2026-06.md')).toContain('\\$1.44: ');
    expect(pages.get('2026-07.md')).toContain('\\$0.7200: ');
    expect(pages.get('index.md')).toContain('together they cost \\$2.16');
  });

  it('show names as they are, whatever is in them', () => {
    const jobs = [jobOf({ agent: EVIL, project: EVIL })];
    const sessions = [sessionOf({ session: 'train', project: EVIL, leases: [leaseOf(EVIL, 5)] })];
    for (const [name, text] of pagesOf({ sessions, jobs })) {
      expect(text, name).not.toMatch(/\{\{|<b>|[^\\]\[x\]|[^\\]`z|\nnext/);
      // A name cannot make a column.
      const rows = text.split('\n').filter((row) => row.startsWith('|'));
      for (const row of rows) expect(row.match(/(?<!\\)\|/g)?.length).toBeGreaterThan(3);
      const tables = text.split(/\n\n/).filter((part) => part.startsWith('|'));
      for (const table of tables)
        expect(new Set(table.split('\n').map((row) => row.match(/(?<!\\)\|/g)?.length)).size).toBe(1);
    }
  });

  it('name what is not in the figures', () => {
    const lost = sessionOf({ state: 'terminated', pods: [], unrecorded: { lastPodId: 'pod-9' } });
    expect(pagesOf({ sessions: [lost], jobs: [] }).get('2026-06.md')).toMatch(
      /Not in the figures[^]*last pod was pod-9/,
    );
  });

  it('show the last ten jobs, the newest first', () => {
    const jobs = Array.from({ length: 12 }, (_, i) => jobOf({ jobId: `j${i}`, endedAt: at(`01T12:${10 + i}:00`) }));
    const index = pagesOf({ sessions: [], jobs }).get('index.md') ?? '';
    expect([...index.matchAll(/\| (j\d+) \|/g)].map(([, job]) => job)).toEqual(
      [11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((i) => `j${i}`),
    );
  });

  it('of nothing say so', () => {
    expect([...pagesOf({ sessions: [], jobs: [] }).keys()]).toEqual(['index.md']);
  });

  it.each([
    [[], 0.5, undefined],
    [[3], 0.95, 3],
    [[4, 1, 3, 2], 0.5, 2],
    [Array.from({ length: 100 }, (_, i) => i + 1), 0.95, 95],
  ])('%j at %d is %j', (values, share, expected) => {
    expect(quantile(values, share)).toBe(expected);
  });
});
