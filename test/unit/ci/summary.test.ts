import { describe, expect, it } from 'vitest';
import { reapedSummary, stoppedSummary } from '../../../scripts/ci/summary.js';

const pod = {
  id: 'p1',
  name: 'devloop.gh-1-0123abcd.ci-7-1.run.1.1800000000',
  gpu: 'NVIDIA L4',
  costPerHourUsd: 0.36,
  createdAt: '2026-11-01T10:00:00.000Z',
};
const record = {
  session: 'ci-7-1',
  startedBy: 'ci',
  startedAt: pod.createdAt,
  endedAt: '2026-11-01T10:10:00.000Z',
  phases: [],
  pods: [{ ...pod, endedAt: '2026-11-01T10:05:00.000Z', costUsd: 0.03 }],
  costUsd: 0.03,
  leases: [],
  jobsServed: 0,
  stopReason: 'asked to stop',
  unsettled: [],
};
const rowsOf = (markdown: string): string[] => markdown.split('\n').filter((line) => /^\| (?!Session|---)/.test(line));

describe('the summary of a stopped session', () => {
  it('shows each pod with its price, seconds, cost and why it stopped', () => {
    const { markdown, outputs } = stoppedSummary({ sessions: [record] });
    expect(rowsOf(markdown)).toEqual(['| ci-7-1 | p1 | NVIDIA L4 | $0.3600 | 300 | $0.0300 | asked to stop |']);
    expect(outputs).toEqual({ 'pod-id': 'p1', 'cost-usd': '0.0300' });
  });

  it('shows a session that never had a pod', () => {
    const { markdown, outputs } = stoppedSummary({ sessions: [{ ...record, pods: [], costUsd: 0 }] });
    expect(rowsOf(markdown)).toEqual(['| ci-7-1 | - | - | - | - | $0.0000 | asked to stop |']);
    expect(outputs).toEqual({ 'cost-usd': '0.0000' });
  });

  it('lets nothing that comes from elsewhere break the table or become markup', () => {
    const stopReason = 'a | b\n<img src=x>';
    const [row] = rowsOf(stoppedSummary({ sessions: [{ ...record, stopReason }] }).markdown);
    expect(row?.endsWith(String.raw`| a \| b \<img src=x\> |`)).toBe(true);
  });

  it('says why it could not be stopped', () => {
    const { markdown, outputs } = stoppedSummary({ error: { code: 'TEMPORAL_UNREACHABLE', message: 'no stack' } });
    expect(markdown).toContain('no stack [TEMPORAL_UNREACHABLE]');
    expect(outputs).toEqual({});
  });
});

describe('the summary of a reap', () => {
  const nowMs = Date.parse('2026-11-01T10:10:00.000Z');
  const found = { ...pod, session: 'ci-7-1' };

  it('is silent when there was nothing to end', () => {
    expect(reapedSummary({ found: [], left: [] }, nowMs)).toEqual({ markdown: '', outputs: {} });
  });

  it('shows what was ended, and what was not', () => {
    const ended = reapedSummary({ found: [found], left: [] }, nowMs);
    expect(rowsOf(ended.markdown)[0]).toContain('| p1 | NVIDIA L4 | $0.3600 | 600 | $0.0600 | ended by `devloop reap`');
    expect(ended.outputs).toEqual({ 'pod-id': 'p1', 'cost-usd': '0.0600' });
    expect(reapedSummary({ found: [found], left: ['p1'] }, nowMs).markdown).toContain('NOT ENDED');
  });

  it('says that a list could not be read', () => {
    const error = { code: 'RUNPOD_UNREACHABLE', message: 'HTTP 500' };
    expect(reapedSummary({ error }, nowMs).markdown).toContain("RunPod's list not read");
  });
});
