import type { ApplicationFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import { codeOf, planFor, runAttempt } from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';
import { bootOf, page, PodService } from './pod-service.js';

describe('pollPod on a pod that does not become ready', () => {
  it.each(['EXITED', 'ERROR'])('fails with the last lines of its log when RunPod shows %s', async (podStatus) => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'image-unpullable', podStatus });
    const service = new PodService(runpod);
    service.before = () => page(502);
    const input = bootOf(runpod);
    runpod.logs.set(input.pod.id, ['pulling', 'manifest unknown']);
    const beganMs = runpod.time.nowMs;
    const { failure } = await runAttempt(runpod, 'pollPod', input, service.deps);
    expect(codeOf(failure)).toMatchObject({ code: 'BOOT_FAILED', final: true });
    expect(failure?.message).toContain(podStatus);
    expect(failure?.message).toContain('pulling\nmanifest unknown');
    expect(runpod.time.nowMs - beganMs).toBeLessThan(15_000);
  });

  it('fails at its deadline, with the last thing seen and the last lines of the log', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.before = () => page(502);
    const input = bootOf(runpod);
    runpod.logs.set(input.pod.id, ['CUDA driver too old']);
    const { failure } = await runAttempt(runpod, 'pollPod', input, service.deps);
    expect(codeOf(failure)).toMatchObject({ code: 'BOOT_FAILED', final: true });
    expect(failure?.message).toMatch(/not ready in time; .*Error 502/s);
    expect(failure?.message).toContain('CUDA driver too old');
    expect(runpod.time.nowMs - input.readyByMs).toBeLessThan(5000);
  });

  it('gives up at its deadline a download that hangs or trickles', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.onDisk = [];
    service.pull = undefined;
    const input = bootOf(runpod, { readyByMs: runpod.time.nowMs + 40_000 });
    const { failure } = await runAttempt(runpod, 'pollPod', input, service.deps);
    expect(codeOf(failure)).toMatchObject({ code: 'BOOT_FAILED', final: true });
    expect(runpod.time.nowMs - input.readyByMs).toBeLessThan(5000);
  });

  it('leaves no timer behind when it is ready early', async () => {
    const runpod = new VirtualRunPod();
    const input = bootOf(runpod);
    await runAttempt(runpod, 'pollPod', input, new PodService(runpod).deps);
    await expect(runpod.time.run(new Promise(() => undefined))).rejects.toThrow('no timer');
  });

  it('is no worse for a log that cannot be read', async () => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind: 'image-unpullable' });
    const service = new PodService(runpod);
    service.before = () => page(502);
    const input = bootOf(runpod);
    runpod.fault({ kind: 'server-error', forSeconds: 1000, match: { operation: 'logs' } });
    const { failure } = await runAttempt(runpod, 'pollPod', input, service.deps);
    expect(codeOf(failure)).toMatchObject({ code: 'BOOT_FAILED', final: true });
  });

  it('refuses a host that gave fewer GPUs than were rented', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.gpuCount = 0;
    const { failure } = await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(codeOf(failure)).toMatchObject({ code: 'BOOT_FAILED', final: true });
    expect(failure?.message).toContain('0 GPUs, 1 were rented');
    expect(service.touches).toEqual([]);
  });

  it('refuses a model that does not fit on the GPU', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.gpuVisible = true;
    service.inMemory = [{ name: 'm:latest', size: 1000, size_vram: 400 }];
    const { failure } = await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(codeOf(failure)).toMatchObject({ code: 'MODEL_NOT_SERVED', final: true });
    expect(failure?.message).toContain('only 40 %');
    expect(service.touches).toEqual([]);
  });

  it('says which model the registry refuses, with the log', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.onDisk = [];
    service.pull = [{ status: 'pulling manifest' }, { error: 'pull model manifest: file does not exist' }];
    const input = bootOf(runpod, { plan: planFor(runpod, { model: 'no-such-model' }) });
    runpod.logs.set(input.pod.id, ['the server runs']);
    const beganMs = runpod.time.nowMs;
    const { failure } = await runAttempt(runpod, 'pollPod', input, service.deps);
    expect(runpod.time.nowMs - beganMs).toBeLessThan(10_000);
    expect(codeOf(failure)).toMatchObject({ code: 'MODEL_NOT_SERVED', final: true });
    expect(failure?.message).toMatch(/model: .*"no-such-model".*file does not exist.*the server runs/s);
  });

  it('says which models an OpenAI-like server has instead', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.openAiModels = ['other'];
    const { failure } = await runAttempt(
      runpod,
      'pollPod',
      bootOf(runpod, { plan: planFor(runpod, { api: 'openai' }) }),
      service.deps,
    );
    expect(codeOf(failure)).toMatchObject({ code: 'MODEL_NOT_SERVED', final: true });
    expect(failure?.message).toContain('only other');
  });

  it('waits for a model that the pod makes from its own file instead of pulling it', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.onDisk = [];
    service.modelFile = true;
    runpod.time.at(runpod.time.nowMs + 20_000, () => service.onDisk.push('m:latest'));
    const { result } = await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(result).toBeDefined();
    expect(service.seen).not.toContain('POST /api/pull');
  });
});

describe('pollPod and the secrets', () => {
  const previous = 'the secret that was in force before';

  it('takes a 401 for a matter of secrets, not of the pod', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.secret = previous;
    const { failure } = await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(codeOf(failure)).toMatchObject({ code: 'GATE_UNAUTHORIZED', final: true });
    expect(failure?.message).toContain('DEVLOOP_GATE_SECRET');
    // Another pod would refuse it too.
    expect((failure as ApplicationFailure).details).toEqual([{}]);
  });

  it('tries the previous secret too', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.secret = previous;
    const deps = { ...service.deps, gateSecrets: [service.deps.gateSecrets[0], previous] as const };
    const { result } = await runAttempt(runpod, 'pollPod', bootOf(runpod), deps);
    expect(result).toBeDefined();
  });

  it('does not take a hiccup during the second try for a refusal', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.secret = previous;
    let asked = 0;
    service.before = () => (++asked === 2 ? page(502) : undefined);
    const deps = { ...service.deps, gateSecrets: [service.deps.gateSecrets[0], previous] as const };
    const { result } = await runAttempt(runpod, 'pollPod', bootOf(runpod), deps);
    expect(result).toBeDefined();
  });

  it('shows the token to nobody', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.before = (_request, authorization) => ({ status: 500, body: { error: `what is ${authorization}?` } });
    const { failure, beats } = await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(failure?.message).toContain('what is');
    expect(/[A-Za-z0-9_-]{43}/.exec(JSON.stringify([failure?.message, beats]))).toBeNull();
  });
});
