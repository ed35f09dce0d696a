import { describe, expect, it } from 'vitest';
import {
  GateError,
  surveyPods,
  type DeadmanStatus,
  type GateClient,
  type Pod,
  type PodListing,
  type RunPodClient,
} from '../../../src/runpod/index.js';
import { nameOf, OWNER } from '../../support/run-activity.js';

const NOW_MS = Date.parse('2026-06-01T00:00:00Z');
const NOW_SECONDS = NOW_MS / 1000;
const DAY_MS = 86_400_000;

const podOf = (env: Record<string, string>, change: Partial<Pod> = {}): Pod => {
  const name = nameOf({ deadline: NOW_SECONDS + 3600 });
  return { id: 'p', name, status: 'RUNNING', image: 'i', ports: [], env, locked: false, ...change };
};
/** A pod that is past its hard deadline and the grace by a second, by RunPod's clock. */
const overdue = podOf({}, { name: nameOf({ deadline: NOW_SECONDS - 121 }) });
const served = { DEVLOOP_GATE_TOKEN: 'its-token', DEVLOOP_API: 'openai', DEVLOOP_IDLE_SECONDS: '480' };

/** @param status what each gate answers; by default no gate may be asked */
async function verdictsOf(
  pods: readonly Pod[],
  listing: Omit<PodListing, 'pods' | 'endedAt'>,
  status: (target: { endpoint: string; token: string }) => Promise<DeadmanStatus> = () => {
    throw new Error('this gate must not be asked');
  },
): Promise<string[]> {
  const runpod = { listPods: async () => ({ ...listing, pods, endedAt: listing.begunAt }) };
  const seen = await surveyPods({
    runpod: runpod as unknown as RunPodClient,
    proxyUrl: 'http://{podId}-{port}.proxy.test',
    gate: (target) => ({ status: async () => ({ deadman: await status(target) }) }) as unknown as GateClient,
    isMine: (owner) => owner === OWNER,
    signal: new AbortController().signal,
  });
  return seen.map(({ verdict }) => verdict);
}

describe('the time that surveyPods judges by', () => {
  it.each([
    ['behind', NOW_MS - DAY_MS],
    ['ahead', NOW_MS + DAY_MS],
  ])('is RunPod’s, also when our own clock is a day %s', async (_, begunAt) => {
    expect(await verdictsOf([overdue], { begunAt, apiTime: NOW_MS })).toEqual(['overdue']);
    expect(await verdictsOf([overdue], { begunAt, apiTime: NOW_MS - 2000 })).toEqual(['kept']);
  });

  it('is our own when RunPod tells none', async () => {
    expect(await verdictsOf([overdue], { begunAt: NOW_MS })).toEqual(['overdue']);
    expect(await verdictsOf([overdue], { begunAt: NOW_MS - 2000 })).toEqual(['kept']);
  });
});

describe('the gates that surveyPods asks', () => {
  const now = { begunAt: NOW_MS, apiTime: NOW_MS };
  const idle = { state: 'armed', ready: true, idleSeconds: 721, inFlight: 0, seenAt: NOW_SECONDS } as const;

  it('are asked with the token of the list, and show who has a pod that nobody uses', async () => {
    const asked: object[] = [];
    const verdicts = await verdictsOf([podOf(served)], now, async (target) => {
      asked.push(target);
      return idle;
    });
    expect(asked).toEqual([{ endpoint: 'http://p-8000.proxy.test', token: 'its-token' }]);
    expect(verdicts).toEqual(['unused']);
  });

  it('hide no other pod when one of them is silent', async () => {
    const pods = [podOf(served), podOf(served, { id: 'q' })];
    const verdicts = await verdictsOf(pods, now, async ({ endpoint }) => {
      if (endpoint.includes('p-8000')) throw new GateError('status', { kind: 'not-up', detail: 'silent' });
      return idle;
    });
    expect(verdicts).toEqual(['kept', 'unused']);
  });

  it.each([
    ["another owner's", podOf(served, { name: nameOf({ owner: 'other-0123abcd', deadline: NOW_SECONDS + 3600 }) })],
    ["a stranger's", podOf(served, { name: 'my notebook' })],
    ['one that does not run', podOf(served, { status: 'STARTING' })],
    ['one whose token is not in the list', podOf({ ...served, DEVLOOP_GATE_TOKEN: '' })],
  ])('do not include %s', async (_, pod) => {
    expect(await verdictsOf([pod], now)).toHaveLength(1);
  });
});
