import { describe, expect, it } from 'vitest';
import type { PodDependencies } from '../../../src/activities/pod-dependencies.js';
import {
  dependencies,
  nameOf,
  planFor,
  retried,
  RTX_4090,
  sessionSpec,
  startInput,
  stopInput,
} from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';
import { page, PodService } from './pod-service.js';

const SESSIONS = 20;
/** Of 60, a fifth is kept for DELETE. */
const KEPT_FOR_DELETE = 12;
const BOOT_MS = 90_000;
/** Somebody reads the catalog over and over with the same client. */
const OTHER_REQUESTS = 200;
/** The window of RunPod's quota. What does not fit into one leaves in the next. */
const WINDOW_MS = 60_000;

/** Every pod's gate is a stub that answers after 5 ms, with a page until the pod has booted: the quota is RunPod's, not the pod's. */
function withGates(runpod: VirtualRunPod): PodDependencies {
  const services = new Map<string, PodService>();
  const serviceOf = (podName: string): PodService => {
    const known = services.get(podName);
    if (known) return known;
    const service = new PodService(runpod, podName);
    const readyAtMs = runpod.time.nowMs + BOOT_MS;
    service.before = () => (runpod.time.nowMs < readyAtMs ? page(502) : undefined);
    services.set(podName, service);
    return service;
  };
  return dependencies(runpod, { gate: (target) => serviceOf(target.podName).deps.gate(target) });
}

describe('20 sessions that boot and 20 that stop under one quota of 60 requests a minute', () => {
  it('starve no DELETE, are refused nothing, and all come to their end', async () => {
    const runpod = new VirtualRunPod({ quota: true });
    const toStop = Array.from({ length: SESSIONS }, (_, i) => runpod.rent(nameOf({ session: `old-${i}` })));
    // What it took to rent those is not this minute's.
    await runpod.time.run(runpod.time.sleep(2 * WINDOW_MS));
    const deps = withGates(runpod);
    const beganMs = runpod.time.nowMs;
    const rentedBefore = runpod.requests.length;
    const seconds = (atMs: number): number => Math.round((atMs - beganMs) / 1000);

    const boot = async (i: number): Promise<number> => {
      const podName = nameOf({ session: `new-${i}` });
      const plan = planFor(runpod);
      const { result } = await retried(runpod, 'startPod', startInput(runpod, { podName, plan }), deps);
      const readyByMs = runpod.time.nowMs + 600_000;
      await retried(runpod, 'pollPod', { pod: result.pod!, spec: sessionSpec(), plan, readyByMs }, deps);
      return runpod.time.nowMs;
    };
    const wantedMs = new Map<string, number>();
    const stop = async (podId: string, i: number): Promise<number> => {
      // In the middle of the others' boots, when these have had their share.
      await runpod.time.sleep(5_000);
      wantedMs.set(podId, runpod.time.nowMs);
      await retried(runpod, 'stopPod', { ...stopInput(podId), session: `old-${i}`, attempt: 1 }, deps);
      return runpod.time.nowMs;
    };
    const others = Array.from({ length: OTHER_REQUESTS }, () => runpod.client.getGpu(RTX_4090).catch(() => undefined));
    const work = Promise.all([
      Promise.all(Array.from({ length: SESSIONS }, (_, i) => boot(i))),
      Promise.all(toStop.map((podId, i) => stop(podId, i))),
    ]);
    const [readyMs, goneMs] = await runpod.time.run(work);
    await runpod.time.run(Promise.all(others));

    const calls = runpod.requests.slice(rentedBefore);
    const waits = toStop.map((podId) => {
      const first = calls.find(({ method, path }) => method === 'DELETE' && path.endsWith(podId));
      return (first?.atMs ?? Infinity) - (wantedMs.get(podId) ?? 0);
    });
    const requests: Record<string, number> = {};
    for (const { method, path } of calls) {
      const kind = `${method} ${path.split('/').slice(2, 3).join('')}${path.startsWith('/v2/pods/') ? '/id' : ''}`;
      requests[kind] = (requests[kind] ?? 0) + 1;
    }
    const figures = {
      requests,
      deletesWithinASecond: waits.filter((ms) => ms <= 1000).length,
      longestDeleteWaitSeconds: Math.max(...waits) / 1000,
      allGoneAfterSeconds: seconds(Math.max(...goneMs)),
      allReadyAfterSeconds: seconds(Math.max(...readyMs)),
    };
    process.stdout.write(`rate limits, gates stubbed at 5 ms: ${JSON.stringify(figures)}\n`);

    expect(figures.deletesWithinASecond).toBeGreaterThanOrEqual(KEPT_FOR_DELETE);
    expect(Math.max(...waits)).toBeLessThanOrEqual(WINDOW_MS);
    const living = runpod.alive.map(({ name }) => name.split('.')[2]).sort();
    expect(living).toEqual(Array.from({ length: SESSIONS }, (_, i) => `new-${i}`).sort());
    expect(runpod.bill).toHaveLength(2 * SESSIONS);
    expect(runpod.refusedForQuota).toBe(0);
    // One for each boot would be twice as many.
    expect(requests['GET pods']).toBeLessThanOrEqual(12);
  });
});
