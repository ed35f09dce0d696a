import { describe, expect, it } from 'vitest';
import { cellsOf, failuresMetTooRarely, notMeasured, pairsOf } from '../../chaos/matrix.js';
import { boundOf } from '../../chaos/bounds.js';
import { withMatrix } from '../../chaos/page.js';
import { terminalText, type ChaosReport } from '../../chaos/report.js';
import type { Measurement } from '../../chaos/run.js';

const measured = (extraSeconds: number, change: Partial<Measurement> = {}): Measurement => ({
  run: 0,
  session: 'r0-idle',
  failures: ['worker-killed'],
  manners: ['one'],
  phase: 'idle',
  extraSeconds,
  bound: boundOf(['worker-killed'], 'idle'),
  job: 'answered',
  pods: ['pod'],
  problems: [],
  ...change,
});
const all = [
  measured(3.14),
  measured(9),
  measured(5),
  measured(99, { phase: 'gone' }),
  measured(20, { failures: ['net-gate', 'worker-frozen'], phase: 'serve' }),
];
const report: ChaosReport = {
  runs: 5,
  seed: 7,
  seconds: 1,
  failed: [],
  cells: cellsOf(all),
  pairs: pairsOf(all),
  sessions: all.length,
  gone: 1,
  facts: { scaled: 'idle time' },
};

describe('the matrix', () => {
  it('counts a session where it was struck, and one that had ended nowhere', () => {
    const cell = report.cells.find(({ failure, phase }) => failure === 'worker-killed' && phase === 'idle');
    expect(cell).toMatchObject({ n: 3, p50: 5, max: 9, bound: 64 });
    expect(report.cells.reduce((sum, { n }) => sum + n, 0)).toBe(3);
    const pairs = report.pairs.filter(({ n }) => n > 0);
    expect(pairs).toMatchObject([{ pair: ['worker', 'net-gate'], n: 1, max: 20, phases: ['serve'] }]);
  });

  it('names what it has not measured often enough', () => {
    const rare = failuresMetTooRarely(report.cells);
    expect(rare).toContain('worker-killed');
    const lacking = notMeasured(report.cells, report.pairs);
    expect(lacking.filter((line) => line.startsWith('worker-killed × idle'))).toEqual([]);
    expect(lacking).toContain('worker-killed × serve: n 0, not 3');
    expect(lacking.filter((line) => line.startsWith('pod-model × create'))).toEqual([]);
    expect(lacking).toContain('worker + temporal: never');
    expect(lacking).not.toContain('worker + net-gate: never');
  });

  it('stands in the page between its marks, and nothing else of the page changes', () => {
    const page = 'before\n<!-- chaos:begin -->\nold\n<!-- chaos:end -->\nafter\n';
    const written = withMatrix(page, report);
    expect(written).toMatch(/^before\n<!-- chaos:begin -->\n/);
    expect(written).toMatch(/\n<!-- chaos:end -->\nafter\n$/);
    expect(written).not.toContain('old');
    expect(written).toContain('| worker-killed | n 0 | n 0 | n 0 | n 3: 5 / 9 / 64 | n 0 | n 0 |');
    expect(withMatrix(written, report)).toBe(written);
    expect(() => withMatrix('no marks', report)).toThrow(/chaos:begin/);
  });

  it('says on a terminal what held and what did not', () => {
    expect(terminalText(report)).toContain('Every bound held.');
    const failed = [{ run: 3, seed: 7, session: 'r3-idle', pods: ['abc'], problem: 'pod abc is still alive' }];
    expect(terminalText({ ...report, failed })).toContain('run 3 of seed 7, r3-idle: pod abc is still alive');
  });
});
