import { describe, expect, it } from 'vitest';
import { createRunPodClient } from '../../../src/runpod/index.js';
import { adapterOf, apiKey, failureOf, type FakeAnswer } from './support.js';

const record = {
  startTime: '2026-06-01T00:00:00Z',
  endTime: '2026-06-02T00:00:00Z',
  podId: 'pod_abc123',
  totalAmount: 12.34,
  gpuAmount: 11.1,
  cpuAmount: 0,
  diskAmount: 1.24,
};
const range = { from: new Date('2026-06-01T10:00:00Z'), to: new Date('2026-06-02T10:00:00Z') };

function ask(answer: FakeAnswer, asked: unknown[] = []) {
  const adapter = adapterOf(({ method, path, query }) => {
    asked.push({ method, path, query });
    return answer;
  });
  const client = createRunPodClient({ apiUrl: 'http://runpod.test/v2', apiKey, userAgent: 'test/1', adapter });
  return client.podBilling(range);
}

describe('RunPod bill', () => {
  it('is asked by days, and told without the disks and with them apart', async () => {
    const asked: unknown[] = [];
    expect(await ask({ body: { records: [record], metadata: {} } }, asked)).toEqual([
      { podId: 'pod_abc123', day: '2026-06-01', computeUsd: 11.1, diskUsd: 1.24 },
    ]);
    const query = { startTime: '2026-06-01T10:00:00.000Z', endTime: '2026-06-02T10:00:00.000Z', bucketSize: 'day' };
    expect(asked).toEqual([{ method: 'GET', path: '/billing/pods', query }]);
  });

  it.each([
    ['without an amount', { records: [{ ...record, gpuAmount: undefined }] }],
    ['without a day', { records: [{ ...record, startTime: 'yesterday' }] }],
    ['without records', { metadata: {} }],
  ])('%s is no bill', async (_what, body) => {
    expect(await failureOf(ask({ body }))).toMatchObject({ kind: 'bad-answer', operation: 'pod-billing' });
  });

  it('at an address that has none is a wrong address', async () => {
    const answer = { status: 404, body: { title: 'Not Found', status: 404 } };
    expect(await failureOf(ask(answer))).toMatchObject({ kind: 'bad-request' });
  });
});
