import { describe, expect, it } from 'vitest';
import { nameOf, runAttempt, runWithRetries, stopInput } from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';

describe('stopPod when RunPod cannot be read', () => {
  it.each([
    ['a server error', { kind: 'server-error', status: 500 }],
    ['an HTML page', { kind: 'edge-html' }],
    ['a refused key', { kind: 'bad-key' }],
    ['a cut connection', { kind: 'connection-cut' }],
    ['a rate limit of an hour', { kind: 'rate-limited', retryAfterSeconds: 3600 }],
  ])('never takes %s in the list for "no pods"', async (_name, fault) => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.fault({ kind: 'delete-no-effect' });
    runpod.fault({ ...fault, times: 1, match: { operation: 'list' } });
    const { failure } = await runAttempt(runpod, 'stopPod', stopInput(podId));
    expect(failure).toBeDefined();
    expect(runpod.aliveIds).toEqual([podId]);
  });

  it.each(['bad-key', 'server-error', 'edge-html', 'connection-cut'])(
    'never gives up: %s on every call for ten minutes, then the pod ends all the same',
    async (kind) => {
      const runpod = new VirtualRunPod();
      const podId = runpod.rent(nameOf());
      runpod.fault({ kind, forSeconds: 600 });
      const { attempts } = await runWithRetries(runpod, 'stopPod', stopInput(podId));
      expect(attempts).toBeGreaterThan(2);
      expect(runpod.aliveIds).toEqual([]);
    },
  );

  it('does not sleep through a long Retry-After while the pod bills', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.fault({ kind: 'rate-limited', retryAfterSeconds: 7200, times: 1 });
    const beganMs = runpod.time.nowMs;
    await runWithRetries(runpod, 'stopPod', stopInput(podId), undefined, 500);
    expect(Date.parse(runpod.billOf(podId).terminatedAt ?? '') - beganMs).toBeLessThan(5 * 60_000);
  });
});

describe('a stopPod that another attempt goes on with', () => {
  it('keeps what the attempts before it knew, however early it dies itself', async () => {
    const runpod = new VirtualRunPod();
    const unknown = runpod.rent(nameOf());
    runpod.fault({ kind: 'delete-404' });
    // The first attempt finds a pod that the session does not know, and dies before it can end it.
    const first = await runAttempt(runpod, 'stopPod', stopInput(), undefined, {
      prepare: (env) => {
        env.on('heartbeat', (details: { podIds?: string[] } | undefined) => {
          if (details?.podIds?.includes(unknown)) env.cancel('WORKER_SHUTDOWN');
        });
      },
    });
    expect(first.beats.at(-1)).toMatchObject({ podIds: [unknown] });
    runpod.fault({ kind: 'server-error', times: 1, match: { operation: 'list' } });
    const second = await runAttempt(runpod, 'stopPod', stopInput(), undefined, {
      attempt: 2,
      heartbeatDetails: first.beats.at(-1),
    });
    expect(second.failure).toBeDefined();
    expect(second.beats.at(-1)).toMatchObject({ podIds: [unknown] });
    const third = await runAttempt(runpod, 'stopPod', stopInput(), undefined, {
      attempt: 3,
      heartbeatDetails: second.beats.at(-1),
    });
    expect(third.result?.podIds).toEqual([unknown]);
    expect(runpod.aliveIds).toEqual([]);
  });

  it('needs no second minute when an earlier attempt had its DELETE accepted', async () => {
    const runpod = new VirtualRunPod();
    const podId = runpod.rent(nameOf());
    runpod.end(podId);
    const acceptedAtMs = runpod.time.nowMs;
    const { result } = await runAttempt(runpod, 'stopPod', stopInput(podId), undefined, {
      attempt: 2,
      heartbeatDetails: { step: 'ending', acceptedAtMs, accepted: [podId], podIds: [podId] },
    });
    expect(runpod.time.nowMs - acceptedAtMs).toBeLessThan(10_000);
    expect(result?.endedAt).toBe(new Date(acceptedAtMs).toISOString());
  });
});

describe('stopPod with several pods', () => {
  it('looks for a minute as long as the DELETE of one of them was never accepted', async () => {
    const runpod = new VirtualRunPod();
    const known = runpod.rent(nameOf());
    runpod.fault({ kind: 'get-404-after-create', seconds: 1000 });
    const denied = runpod.rent(nameOf());
    // RunPod denies the second pod to DELETE and GET, then hides it from two listings. It lives.
    runpod.fault({ kind: 'delete-404', match: { podId: denied } });
    runpod.time.at(runpod.time.nowMs + 1000, () => {
      runpod.fault({ kind: 'list-misses', times: 2 });
    });
    await runAttempt(runpod, 'stopPod', stopInput(known));
    expect(runpod.aliveIds).toEqual([]);
  });
});
