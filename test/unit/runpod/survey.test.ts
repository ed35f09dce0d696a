import { describe, expect, it } from 'vitest';
import { surveyPods, type Pod, type PodListing, type RunPodClient } from '../../../src/runpod/index.js';
import { nameOf, OWNER } from '../../support/run-activity.js';

const NOW_MS = Date.parse('2026-06-01T00:00:00Z');
const DAY_MS = 86_400_000;

/** A pod that is past its hard deadline and the grace by a second, by RunPod's clock. */
const overdue: Pod = {
  id: 'p',
  name: nameOf({ deadline: NOW_MS / 1000 - 121 }),
  status: 'RUNNING',
  image: 'i',
  ports: [],
  env: {},
  locked: false,
};

async function verdictOf(listing: Omit<PodListing, 'pods' | 'endedAt'>): Promise<string | undefined> {
  const runpod = { listPods: async () => ({ ...listing, pods: [overdue], endedAt: listing.begunAt }) };
  const [seen] = await surveyPods({
    runpod: runpod as unknown as RunPodClient,
    proxyUrl: 'http://{podId}-{port}.proxy.test',
    gate: () => {
      throw new Error('a pod without a token is not asked');
    },
    isMine: (owner) => owner === OWNER,
    signal: new AbortController().signal,
  });
  return seen?.verdict;
}

describe('surveyPods', () => {
  it.each([
    ['behind', NOW_MS - DAY_MS],
    ['ahead', NOW_MS + DAY_MS],
  ])('judges by RunPod’s clock when our own is a day %s', async (_, begunAt) => {
    expect(await verdictOf({ begunAt, apiTime: NOW_MS })).toBe('overdue');
    expect(await verdictOf({ begunAt, apiTime: NOW_MS - 2000 })).toBe('kept');
  });

  it('judges by our own clock when RunPod tells no time', async () => {
    expect(await verdictOf({ begunAt: NOW_MS })).toBe('overdue');
    expect(await verdictOf({ begunAt: NOW_MS - 2000 })).toBe('kept');
  });
});
