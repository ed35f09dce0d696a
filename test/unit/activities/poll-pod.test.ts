import { CancelledFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import { nameOf, planFor, runAttempt, sessionSpec } from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';
import { bootOf, page, PodService } from './pod-service.js';

describe('pollPod on a pod that becomes ready', () => {
  it('sees the service through the gate before it declares the pod ready, in this order', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.onDisk = [];
    const input = bootOf(runpod);
    const { result } = await runAttempt(runpod, 'pollPod', input, service.deps);
    expect(result).toEqual({ endpoint: `http://${input.pod.id}-11434.proxy.test` });
    expect(service.seen).toEqual([
      'GET /devloop/status',
      'GET /api/version',
      'GET /api/tags',
      'POST /api/pull',
      'POST /api/generate',
      'GET /api/ps',
      'POST /devloop/touch',
    ]);
    expect(service.touches).toEqual([{ ready: true }]);
  });

  it('pulls no model that is there, whether or not its name says :latest', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    await runAttempt(runpod, 'pollPod', bootOf(runpod, { plan: planFor(runpod, { model: 'm' }) }), service.deps);
    expect(service.seen).not.toContain('POST /api/pull');
  });

  it('asks an OpenAI-like server for its health and its models, on its own port', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.api = 'openai';
    const input = bootOf(runpod, { plan: planFor(runpod, { api: 'openai' }) });
    const { result } = await runAttempt(runpod, 'pollPod', input, service.deps);
    expect(result?.endpoint).toBe(`http://${input.pod.id}-8000.proxy.test`);
    expect(service.seen).toEqual(['GET /devloop/status', 'GET /health', 'GET /v1/models', 'POST /devloop/touch']);
  });

  it.each([
    ['nothing listens (502)', page(502)],
    ['the proxy knows no such pod yet (404)', page(404)],
    ['a placeholder page answers with 200', page(200)],
    ['the gate takes a hundred seconds (524)', page(524)],
    ['the model server answers 503', { status: 503, body: 'loading' }],
  ])('goes on asking while %s', async (_what, answer) => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    const upAtMs = runpod.time.nowMs + 30_000;
    service.before = () => (runpod.time.nowMs < upAtMs ? answer : undefined);
    const { result } = await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(result).toBeDefined();
    expect(runpod.time.nowMs - upAtMs).toBeLessThan(1000);
  });

  it.each([403, 429])('minds no page with %i of something in front of the pod', async (status) => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    let asked = 0;
    service.before = () => (++asked <= 2 ? page(status) : undefined);
    const { result } = await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(result).toBeDefined();
  });

  it('pulls again after a registry that could not be reached', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.onDisk = [];
    service.pull = [{ error: 'pull model manifest: dial tcp: lookup registry.ollama.ai: i/o timeout' }];
    runpod.time.at(runpod.time.nowMs + 5000, () => {
      service.pull = [{ status: 'success' }];
    });
    const { result } = await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(result).toBeDefined();
  });

  it('asks the gate often and RunPod seldom', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    const upAtMs = runpod.time.nowMs + 60_000;
    let asked = 0;
    service.before = () => (++asked, runpod.time.nowMs < upAtMs ? page(502) : undefined);
    await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(asked).toBeGreaterThan(100);
    expect(runpod.requests.length).toBeLessThanOrEqual(8);
  });

  it('tells how far the download is', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.onDisk = [];
    service.pull = [{ status: 'pulling 4b6655a2', completed: 30, total: 120 }, { status: 'success' }];
    const { beats } = await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(beats).toContainEqual({ step: 'model', doing: 'pulling 4b6655a2', percent: 25 });
  });

  it('goes by the gate when RunPod answers nothing', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    const input = bootOf(runpod);
    runpod.fault({ kind: 'server-error', forSeconds: 1000 });
    const { result } = await runAttempt(runpod, 'pollPod', input, service.deps);
    expect(result).toBeDefined();
  });
});

describe("pollPod and the dead-man's switch", () => {
  it('waits until it is armed, and loads no model before', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.deadman = { state: 'starting' };
    const armedAtMs = runpod.time.nowMs + 20_000;
    let seenBefore: readonly string[] = [];
    runpod.time.at(armedAtMs, () => {
      seenBefore = [...new Set(service.seen)];
      service.deadman = { state: 'armed' };
    });
    const { result } = await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(result).toBeDefined();
    expect(seenBefore).toEqual(['GET /devloop/status']);
  });

  it.each([
    [{ state: 'absent' as const }, "has no dead-man's switch"],
    [{ state: 'unarmed' as const, problem: 'curl is missing' }, 'switch is not armed: curl is missing'],
  ])('refuses a pod whose switch is %o', async (deadman, message) => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.deadman = deadman;
    const { failure } = await runAttempt(runpod, 'pollPod', bootOf(runpod), service.deps);
    expect(failure).toMatchObject({ type: 'BOOT_FAILED', message: expect.stringContaining(message) as string });
    expect(service.touches).toEqual([]);
  });

  it('takes a pod without one where the session says guard: none', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.deadman = { state: 'absent' };
    const input = bootOf(runpod, { spec: sessionSpec({ guard: 'none' }) });
    expect((await runAttempt(runpod, 'pollPod', input, service.deps)).result).toBeDefined();
  });
});

describe('pollPod and latecomers', () => {
  it('ends other pods of this session and first run, and no others', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    const input = bootOf(runpod);
    const late = [runpod.rent(nameOf()), runpod.rent(nameOf({ attempt: 2 }))];
    const spared = [
      runpod.rent(nameOf({ session: 'other' })),
      runpod.rent(nameOf({ owner: 'x' })),
      runpod.rent('stranger'),
    ];
    await runAttempt(runpod, 'pollPod', input, service.deps);
    expect(runpod.aliveIds.sort()).toEqual([input.pod.id, ...spared].sort());
    expect(late.map((id) => runpod.billOf(id).status)).toEqual(['TERMINATED', 'TERMINATED']);
  });

  it('ends one that the list shows only during the boot', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    const upAtMs = runpod.time.nowMs + 40_000;
    service.before = () => (runpod.time.nowMs < upAtMs ? page(502) : undefined);
    const input = bootOf(runpod);
    runpod.fault({ kind: 'list-late', seconds: 25 });
    runpod.rent(nameOf());
    await runAttempt(runpod, 'pollPod', input, service.deps);
    expect(runpod.aliveIds).toEqual([input.pod.id]);
  });

  it('boots on when RunPod does not let it end one', async () => {
    const runpod = new VirtualRunPod();
    const input = bootOf(runpod);
    runpod.rent(nameOf());
    runpod.fault({ kind: 'server-error', forSeconds: 1000, match: { operation: 'terminate' } });
    const { result } = await runAttempt(runpod, 'pollPod', input, new PodService(runpod).deps);
    expect(result).toBeDefined();
  });
});

describe('a cancelled pollPod', () => {
  it('leaves within a second as a cancel', async () => {
    const runpod = new VirtualRunPod();
    const service = new PodService(runpod);
    service.before = () => page(502);
    const input = bootOf(runpod, { spec: sessionSpec() });
    const atMs = runpod.time.nowMs + 7000;
    const { failure } = await runAttempt(runpod, 'pollPod', input, service.deps, {
      prepare: (env) => {
        runpod.time.at(atMs, () => {
          env.cancel();
        });
      },
    });
    expect(failure).toBeInstanceOf(CancelledFailure);
    expect(runpod.time.nowMs - atMs).toBeLessThan(1000);
  });
});
