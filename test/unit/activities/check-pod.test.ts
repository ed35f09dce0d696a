import { ApplicationFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import type { CheckPodInput } from '../../../src/activities/types.js';
import { nameOf, runAttempt } from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';
import { bootOf, PodService } from './pod-service.js';

const silent = { status: 502, body: '<!DOCTYPE html><html>Bad Gateway</html>' };
const slow = { status: 524, body: '<!DOCTYPE html><html>A timeout occurred</html>' };

function scene(): { runpod: VirtualRunPod; service: PodService; input: CheckPodInput } {
  const runpod = new VirtualRunPod();
  const service = new PodService(runpod);
  const { pod } = bootOf(runpod);
  return { runpod, service, input: { pod, api: 'ollama', endpoint: `http://${pod.id}-11434.proxy.test` } };
}

describe('checkPod', () => {
  it('needs no word of RunPod about a gate that answers', async () => {
    const { runpod, service, input } = scene();
    const { result } = await runAttempt(runpod, 'checkPod', input, service.deps);
    expect(result?.verdict).toBe('alive');
    expect(runpod.requests).toEqual([]);
  });

  it.each([
    ['slow', slow],
    ['silent for a moment only', silent],
  ])('does not call a gate lost that is %s', async (_what, answer) => {
    const { runpod, service, input } = scene();
    const backAtMs = runpod.time.nowMs + 4000;
    service.before = () => (runpod.time.nowMs < backAtMs ? answer : undefined);
    const { result } = await runAttempt(runpod, 'checkPod', input, service.deps);
    expect(result?.verdict).toBe('alive');
  });

  it('takes a slow gate for an answer, whatever RunPod shows', async () => {
    const { runpod, service, input } = scene();
    service.before = () => slow;
    runpod.end(input.pod.id);
    const { result } = await runAttempt(runpod, 'checkPod', input, service.deps);
    expect(result?.verdict).toBe('alive');
    expect(runpod.calls('GET')).toEqual([]);
  });

  it('calls a silent pod lost that RunPod does not know any more', async () => {
    const { runpod, service, input } = scene();
    service.before = () => silent;
    runpod.end(input.pod.id);
    const { result } = await runAttempt(runpod, 'checkPod', input, service.deps);
    expect(result).toEqual({ verdict: 'lost', detail: expect.stringMatching(/502.*RunPod shows it gone/s) as string });
  });

  it.each(['EXITED', 'ERROR'])('calls a silent pod lost that RunPod shows as %s', async (podStatus) => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'image-unpullable', podStatus });
    const service = new PodService(runpod);
    const { pod } = bootOf(runpod);
    service.before = () => silent;
    await runpod.time.run(runpod.time.sleep(5000));
    const input = { pod, api: 'ollama' as const, endpoint: 'http://pod.test' };
    const { result } = await runAttempt(runpod, 'checkPod', input, service.deps);
    expect(result).toEqual({ verdict: 'lost', detail: expect.stringContaining(podStatus) as string });
  });

  it('does not call a pod lost that RunPod shows running: its container may be starting again', async () => {
    const { runpod, service, input } = scene();
    service.before = () => silent;
    const { result } = await runAttempt(runpod, 'checkPod', input, service.deps);
    expect(result?.verdict).toBe('alive');
  });

  it.each(['server-error', 'edge-html', 'connection-cut', 'bad-key'])(
    'concludes nothing from a silent gate and %s of RunPod',
    async (kind) => {
      const { runpod, service, input } = scene();
      service.before = () => silent;
      runpod.fault({ kind, forSeconds: 1000 });
      const { result, failure } = await runAttempt(runpod, 'checkPod', input, service.deps);
      expect(result).toBeUndefined();
      expect(failure).toBeInstanceOf(ApplicationFailure);
    },
  );

  it('asks for the pod by its id, not by its name', async () => {
    const { runpod, service, input } = scene();
    service.before = () => silent;
    runpod.end(input.pod.id);
    runpod.rent(nameOf());
    const { result } = await runAttempt(runpod, 'checkPod', input, service.deps);
    expect(result?.verdict).toBe('lost');
  });
});
