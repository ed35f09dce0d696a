import { ApplicationFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import type { PlanSessionInput } from '../../../src/activities/types.js';
import { DEFAULT_IMAGE, type PodSessionInput } from '../../../src/contract/index.js';
import type { OperatorCaps } from '../../../src/limits.js';
import {
  dependencies,
  NO_CAPS,
  OWNER,
  RTX_3090,
  RTX_4090,
  runAttempt,
  sessionSpec,
} from '../../support/run-activity.js';
import { VirtualRunPod } from '../../support/virtual-runpod.js';

const STARTED_MS = Date.parse('2026-06-01T00:00:00.250Z');
const request = (input: Partial<PodSessionInput> = {}): PlanSessionInput => ({
  spec: sessionSpec(input),
  startedAtMs: STARTED_MS,
});

async function plan(input: Partial<PodSessionInput> = {}, caps: Partial<OperatorCaps> = {}) {
  const runpod = new VirtualRunPod();
  const deps = dependencies(runpod, { caps: { ...NO_CAPS, ...caps } });
  const { result, failure } = await runAttempt(runpod, 'planSession', request(input), deps);
  if (failure) throw failure;
  return result!;
}

async function refusal(input: Partial<PodSessionInput>, caps: Partial<OperatorCaps> = {}) {
  const runpod = new VirtualRunPod();
  const deps = dependencies(runpod, { caps: { ...NO_CAPS, ...caps } });
  const { failure } = await runAttempt(runpod, 'planSession', request(input), deps);
  if (!(failure instanceof ApplicationFailure)) throw new Error('no refusal');
  expect(failure.nonRetryable).toBe(true);
  expect(failure.details).toEqual([{ nothingCreated: true }]);
  return { code: failure.type, message: failure.message };
}

const lifeSeconds = (hardDeadlineMs: number): number => (hardDeadlineMs - STARTED_MS) / 1000;

describe('planSession', () => {
  it("fills in the operator's defaults", async () => {
    expect(await plan()).toEqual({
      owner: OWNER,
      api: 'ollama',
      model: 'default-model',
      modelFile: undefined,
      image: DEFAULT_IMAGE,
      candidates: [{ gpu: RTX_4090, costPerHourUsd: 0.69 }],
      limits: { maxPriceUsdPerHour: 1, maxCostUsd: 5, maxLifetimeSeconds: 28_800 },
      hardDeadlineMs: expect.any(Number) as number,
    });
  });

  it('prefers what the session says, and names no image beside a template', async () => {
    expect(await plan({ api: 'openai', model: 'mine', image: 'my/image' })).toMatchObject({
      api: 'openai',
      model: 'mine',
      image: 'my/image',
    });
    expect((await plan({ templateId: 'tpl' })).image).toBeUndefined();
  });

  it.each([
    [undefined, '/models/file.gguf'],
    ['default-model', '/models/file.gguf'],
    ['another', undefined],
  ])("gives the operator's model file to the operator's model only (%s)", async (model, expected) => {
    const runpod = new VirtualRunPod();
    const deps = dependencies(runpod, {
      defaults: { api: 'ollama', model: 'default-model', modelFile: '/models/file.gguf' },
    });
    const { result } = await runAttempt(runpod, 'planSession', request({ model }), deps);
    expect(result?.modelFile).toBe(expected);
  });

  it('keeps the candidates in their order, priced for the whole pod, and drops those that are too dear', async () => {
    const gpus = ['NVIDIA A100 80GB PCIe', RTX_4090, RTX_3090];
    expect((await plan({ gpus, gpuCount: 2, maxPriceUsdPerHour: 1.4 })).candidates).toEqual([
      { gpu: RTX_4090, costPerHourUsd: 1.38 },
      { gpu: RTX_3090, costPerHourUsd: 0.92 },
    ]);
    expect((await plan({ gpus: [RTX_4090], cloud: 'COMMUNITY' })).candidates).toEqual([
      { gpu: RTX_4090, costPerHourUsd: 0.34 },
    ]);
  });

  it('passes over what cannot be rented while something can, and says why', async () => {
    const gpus = ['RTX 9090', 'NVIDIA A100 80GB PCIe', RTX_4090];
    expect(await plan({ gpus })).toMatchObject({
      candidates: [{ gpu: RTX_4090, costPerHourUsd: 0.69 }],
      passedOver: [
        { gpu: 'NVIDIA A100 80GB PCIe', reason: expect.stringMatching(/^\$.* is above the limit of \$1$/) as string },
        { gpu: 'RTX 9090', reason: 'RunPod has no GPU of this id' },
      ],
    });
    expect(await plan({ gpus: ['NVIDIA L4', RTX_4090], cloud: 'COMMUNITY' })).toMatchObject({
      passedOver: [{ gpu: 'NVIDIA L4', reason: 'not offered in the COMMUNITY cloud' }],
    });
  });

  it('keeps the place of a GPU without stock, for the catalog may be wrong, and marks it', async () => {
    const runpod = new VirtualRunPod();
    runpod.settings({ gpus: { [RTX_4090]: { availability: 'NONE' } } });
    const { result } = await runAttempt(runpod, 'planSession', request({ gpus: [RTX_4090, RTX_3090] }));
    expect(result?.candidates).toEqual([
      { gpu: RTX_4090, costPerHourUsd: 0.69, outOfStock: true },
      { gpu: RTX_3090, costPerHourUsd: 0.46 },
    ]);
  });
});

describe("the operator's caps", () => {
  const caps = { maxPriceUsdPerHour: 0.5, maxCostUsd: 0.46, maxLifetimeSeconds: 7200 };

  it('win over what the session asks for, and the plan says what came out', async () => {
    const made = await plan({ gpus: [RTX_4090, RTX_3090], maxCostUsd: 100, maxPriceUsdPerHour: 10 }, caps);
    expect(made.limits).toEqual(caps);
    expect(made.candidates).toEqual([{ gpu: RTX_3090, costPerHourUsd: 0.46 }]);
    expect(lifeSeconds(made.hardDeadlineMs)).toBe(3600);
    expect(lifeSeconds((await plan({}, { maxLifetimeSeconds: 600 })).hardDeadlineMs)).toBe(600);
  });

  it('never raise a limit', async () => {
    const input = { gpus: [RTX_3090], maxPriceUsdPerHour: 0.47, maxCostUsd: 0.1, maxLifetimeSeconds: 120 };
    expect((await plan(input, caps)).limits).toMatchObject({
      maxPriceUsdPerHour: 0.47,
      maxCostUsd: 0.1,
      maxLifetimeSeconds: 120,
    });
  });

  it('are named where they refuse', async () => {
    expect(await refusal({ maxPriceUsdPerHour: 2 }, caps)).toMatchObject({
      code: 'PRICE_LIMIT',
      message: expect.stringMatching(/operator's DEVLOOP_MAX_PRICE_USD_PER_HOUR.*limit of \$0.5/) as string,
    });
    expect((await refusal({ maxPriceUsdPerHour: 0.3 }, caps)).message).not.toContain('operator');
    expect((await refusal({}, { maxCostUsd: 0.0001 })).message).toContain("operator's DEVLOOP_MAX_COST_USD");
  });
});

describe('the hard deadline', () => {
  it.each([
    ['the lifetime, when the budget buys more', { maxLifetimeSeconds: 3600, maxCostUsd: 5 }, 3600],
    ['what the budget buys, when that is less', { maxLifetimeSeconds: 28_800, maxCostUsd: 0.69 }, 3600],
    ['whole seconds, never rounded up', { maxCostUsd: 1 }, Math.floor(3600 / 0.69)],
    ['a lifetime of half seconds', { maxLifetimeSeconds: 100.9 }, 100],
    ['the dearest candidate that may be rented', { gpus: [RTX_3090, RTX_4090], maxCostUsd: 0.69 }, 3600],
    ['no candidate that is too dear', { gpus: [RTX_3090, RTX_4090], maxCostUsd: 0.46, maxPriceUsdPerHour: 0.5 }, 3600],
    ['the whole pod', { gpuCount: 4, maxPriceUsdPerHour: 10, maxCostUsd: 2.76 }, 3600],
  ] as [string, Partial<PodSessionInput>, number][])('is %s', async (_what, input, seconds) => {
    expect(lifeSeconds((await plan(input)).hardDeadlineMs)).toBe(seconds);
  });

  it('never costs more than the budget at the dearest price', async () => {
    const budgets = Array.from({ length: 50 }, (_, i) => 0.01 + i * 0.173);
    for (const maxCostUsd of budgets) {
      const { hardDeadlineMs, candidates } = await plan({ gpus: [RTX_3090, RTX_4090], maxCostUsd });
      const dearest = Math.max(...candidates.map(({ costPerHourUsd }) => costPerHourUsd));
      expect((lifeSeconds(hardDeadlineMs) / 3600) * dearest).toBeLessThanOrEqual(maxCostUsd + 1e-9);
    }
  });
});

describe('planSession refuses before anything is rented', () => {
  it('an unknown GPU, with names that are close', async () => {
    const { code, message } = await refusal({ gpus: ['4090'] });
    expect(code).toBe('GPU_UNKNOWN');
    expect(message).toMatch(/^gpus: 4090: RunPod has no GPU of this id.*NVIDIA GeForce RTX 4090/);
  });

  it('a GPU like nothing, with names from the catalog', async () => {
    const { message } = await refusal({ gpus: ['zx81'] });
    expect(message).toMatch(/There is for example: (NVIDIA|AMD) .+, .+, /);
  });

  it('GPUs that are all unknown or not offered, each with its reason', async () => {
    const { code, message } = await refusal({ gpus: ['NVIDIA L4', 'RTX 9090'], cloud: 'COMMUNITY' });
    expect(code).toBe('GPU_UNKNOWN');
    expect(message).toMatch(/NVIDIA L4: not offered.*; RTX 9090: RunPod has no GPU/);
  });

  it('an unknown GPU beside one that is too dear: the price is what can be changed', async () => {
    const { code, message } = await refusal({ gpus: ['RTX 9090', RTX_4090], maxPriceUsdPerHour: 0.4 });
    expect(code).toBe('PRICE_LIMIT');
    expect(message).toMatch(/RTX 4090: \$0.69.*RTX 9090: RunPod has no GPU/);
  });

  it('a GPU that this cloud does not offer, and suggests only what it does', async () => {
    const { code, message } = await refusal({ gpus: ['NVIDIA L4'], cloud: 'COMMUNITY' });
    expect(code).toBe('GPU_UNKNOWN');
    expect(message).toContain('NVIDIA L4: not offered in the COMMUNITY cloud');
    expect(message.split('for example:')[1]).not.toMatch(/NVIDIA L4\b/);
  });

  it('prices above the limit, naming them all', async () => {
    const { code, message } = await refusal({ gpus: [RTX_4090, RTX_3090], maxPriceUsdPerHour: 0.4 });
    expect(code).toBe('PRICE_LIMIT');
    expect(message).toMatch(/^maxPriceUsdPerHour: .*RTX 4090: \$0.69 .*\$0.4; .*RTX 3090: \$0.46 /);
  });

  it('a budget that buys no time worth renting for', async () => {
    const { code, message } = await refusal({ maxCostUsd: 0.000_1 });
    expect(code).toBe('INVALID_INPUT');
    expect(message).toMatch(/^maxCostUsd: \$0.0001 /);
  });
});

describe('planSession when RunPod cannot be asked', () => {
  it.each([
    ['bad-key', 'RUNPOD_UNAUTHORIZED', true],
    ['server-error', 'RUNPOD_UNREACHABLE', false],
    ['edge-html', 'RUNPOD_UNREACHABLE', false],
  ])('%s is %s', async (kind, type, nonRetryable) => {
    const runpod = new VirtualRunPod();
    runpod.fault({ kind });
    const { failure } = await runAttempt(runpod, 'planSession', request());
    expect(failure).toMatchObject({ type, nonRetryable });
  });
});
