import { describe, expect, it } from 'vitest';
import { jobRow } from '../../../src/cli/show-jobs.js';
import { sessionRow } from '../../../src/cli/show-sessions.js';
import { renderTable } from '../../../src/cli/table.js';

describe('tables', () => {
  it('makes columns as wide as their longest cell and leaves no blanks at the end', () => {
    const table = renderTable(
      ['A', 'LONG', 'C'],
      [
        ['wider', 'x', ''],
        ['y', 'z', 'last'],
      ],
    );
    expect(table.split('\n')).toEqual(['A      LONG  C', 'wider  x', 'y      z     last']);
  });

  it('shows a session that has no pod yet', () => {
    const row = sessionRow({
      session: 's',
      phase: 'creating',
      condemned: [],
      uptimeSeconds: 0,
      costUsd: 0,
      leases: [],
      queued: 2,
      hardDeadline: '2026-01-01T08:00:00.000Z',
      why: 'Renting.',
      jobsServed: 0,
    });
    expect(row).toEqual([
      's',
      'creating',
      '-',
      '-',
      '0.0 s',
      '$0.0000',
      '0',
      '2',
      '2026-01-01T08:00:00.000Z at the latest',
    ]);
  });

  it('shows a job that runs, and one that has ended', () => {
    const job = { jobId: 'j', session: 's', project: undefined, startedAt: '2026-01-01T00:00:00.000Z' };
    expect(jobRow({ ...job, state: 'running', endedAt: undefined }).at(-1)).toBe('-');
    expect(jobRow({ ...job, state: 'done', endedAt: '2026-01-01T00:01:30.000Z' }).at(-1)).toBe('1 m 30 s');
  });
});
