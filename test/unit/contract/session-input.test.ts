import { describe, expect, it } from 'vitest';
import {
  DEFAULT_GPU,
  DevloopError,
  parseMessage,
  podSessionInputSchema,
  sessionOptionsSchema,
  type PodSessionSpec,
} from '../../../src/contract/index.js';

const parse = (input: Record<string, unknown>): PodSessionSpec =>
  parseMessage(podSessionInputSchema, input, 'PodSession input');
const refusal = (input: unknown): string => {
  try {
    parseMessage(podSessionInputSchema, input, 'PodSession input');
  } catch (error) {
    if (error instanceof DevloopError && error.code === 'INVALID_INPUT') return error.message;
    throw error;
  }
  throw new Error('accepted');
};

describe('the input of a session', () => {
  it('needs a name and nothing else', () => {
    expect(parse({ session: 's' })).toEqual({
      session: 's',
      gpus: [DEFAULT_GPU],
      gpuCount: 1,
      cloud: 'SECURE',
      dataCenterIds: [],
      diskGb: 40,
      idleTimeoutSeconds: 480,
      readyTimeoutSeconds: 600,
      drainSeconds: 60,
      maxLifetimeSeconds: 28_800,
      maxPriceUsdPerHour: 1,
      maxCostUsd: 5,
      maxConcurrentLeases: 2,
      guard: 'deadman',
      startedBy: 'unknown',
    });
  });

  it('ignores what it does not know', () => {
    expect(parse({ session: 's', colour: 'red', gpu: 'x' })).toEqual(parse({ session: 's' }));
  });

  it('is the same read twice: continue-as-new reads it again', () => {
    const once = parse({ session: 's', gpus: ['a'], drainSeconds: 0 });
    expect(parse(JSON.parse(JSON.stringify(once)) as Record<string, unknown>)).toEqual(once);
  });

  /** Smallest and largest value of each number, and values just outside. */
  const bounds: [field: string, smallest: number, largest: number, tooSmall: number, tooLarge: number][] = [
    ['idleTimeoutSeconds', 5, 86_400, 4.9, 86_401],
    ['readyTimeoutSeconds', 10, 3600, 9, 3601],
    ['drainSeconds', 0, 3600, -1, 3601],
    ['maxLifetimeSeconds', 60, 604_800, 59, 604_801],
    ['gpuCount', 1, 8, 0, 9],
    ['diskGb', 5, 4096, 4, 4097],
    ['maxConcurrentLeases', 1, 64, 0, 65],
    ['maxPriceUsdPerHour', 0.01, 1000, 0, 1001],
    ['maxCostUsd', 0.01, 100_000, 0, 100_001],
  ];

  it.each(bounds)('%s is between %d and %d', (field, smallest, largest, tooSmall, tooLarge) => {
    for (const value of [smallest, largest])
      expect(parse({ session: 's', [field]: value })).toMatchObject({ [field]: value });
    for (const value of [tooSmall, tooLarge, -largest, NaN, Infinity, -Infinity, '60', null, [60], {}]) {
      expect(refusal({ session: 's', [field]: value })).toMatch(new RegExp(`^PodSession input: ${field}: .`));
    }
  });

  it.each(['gpuCount', 'diskGb', 'maxConcurrentLeases'])('%s is a whole number', (field) => {
    expect(refusal({ session: 's', [field]: 5.5 })).toContain(field);
  });

  it('covers every number of the schema with bounds', () => {
    const numbers = Object.entries(parse({ session: 's' })).filter(([, value]) => typeof value === 'number');
    expect(numbers.map(([name]) => name).sort()).toEqual(bounds.map(([name]) => name).sort());
  });

  it.each([
    ['session', ''],
    ['session', 'Upper'],
    ['session', 'under_score'],
    ['session', 'dot.dot'],
    ['session', 'a/b'],
    ['session', 'a\n'],
    ['session', 's'.repeat(41)],
    ['session', undefined],
    ['gpus', []],
    ['gpus', Array.from({ length: 11 }, () => 'g')],
    ['gpus', ['']],
    ['gpus', 'NVIDIA GeForce RTX 4090'],
    ['cloud', 'secure'],
    ['api', 'grpc'],
    ['guard', 'maybe'],
    ['image', ''],
    ['model', ''],
    ['model', 'm'.repeat(201)],
    ['project', 'p'.repeat(101)],
    ['startedBy', 's'.repeat(201)],
    ['dataCenterIds', Array.from({ length: 51 }, () => 'd')],
  ])('names the field when %s is wrong (%j)', (field, value) => {
    expect(refusal({ session: 's', [field]: value })).toMatch(new RegExp(`^PodSession input: ${field}(\\.\\d+)?: .`));
  });

  it.each(['s', '0', '-', 'a-b-c', 's'.repeat(40)])('takes %s for a session name', (session) => {
    expect(parse({ session }).session).toBe(session);
  });

  it('names every wrong field at once', () => {
    const message = refusal({ session: 'X', gpuCount: 0, cloud: 'MOON' });
    for (const field of ['session', 'gpuCount', 'cloud']) expect(message).toContain(`${field}: `);
  });

  it('takes either an image or a template', () => {
    expect(parse({ session: 's', image: 'i' }).image).toBe('i');
    expect(parse({ session: 's', templateId: 't' }).templateId).toBe('t');
    expect(refusal({ session: 's', image: 'i', templateId: 't' })).toMatch(
      /templateId: give either image or templateId/,
    );
  });

  it.each([[undefined], [null], ['text'], [7], [[]]])('is no %j', (input) => {
    expect(refusal(input)).toMatch(/^PodSession input: value: /);
  });
});

describe('the options of a session', () => {
  it('are its input without name, project and starter', () => {
    const input = Object.keys(podSessionInputSchema.shape).filter(
      (name) => !['session', 'project', 'startedBy'].includes(name),
    );
    expect(Object.keys(sessionOptionsSchema.shape).sort()).toEqual(input.sort());
  });
});
