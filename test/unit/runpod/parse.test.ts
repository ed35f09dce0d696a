import { describe, expect, it } from 'vitest';
import { hasFailed, isAlive, isBillingGpu, usdPerHour } from '../../../src/runpod/index.js';
import { isoTime, parseGpu, parsePod } from '../../../src/runpod/parse.js';
import { examplePod } from './support.js';

const ignore = () => undefined;

describe('parsePod', () => {
  it('reads the example of the specification', () => {
    expect(parsePod(examplePod, ignore)).toEqual({
      id: '7h9k2m4n6p',
      name: 'pytorch-training',
      status: 'RUNNING',
      image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
      gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
      cloud: 'SECURE',
      dataCenterId: 'US-KS-2',
      costPerHourUsd: 0.44,
      volumeGb: 0,
      ports: ['8888/http', '22/tcp'],
      env: { MODEL_NAME: 'llama-3' },
      locked: false,
      createdAt: '2026-06-01T12:00:00.000Z',
      startedAt: '2026-06-01T12:02:00.000Z',
      uptimeSeconds: 3600,
    });
  });

  it('needs nothing but the id', () => {
    const bare = { name: '', status: 'UNKNOWN', image: '', ports: [], env: {}, locked: false };
    expect(parsePod({ id: 'x' }, ignore)).toEqual({ id: 'x', ...bare });
    const nulls = Object.fromEntries(Object.keys(examplePod).map((key) => [key, null]));
    expect(parsePod({ ...nulls, id: 'x' }, ignore)).toEqual({ id: 'x', ...bare });
    expect(() => parsePod({ name: 'x' }, ignore)).toThrow('without an id');
    expect(() => parsePod({ id: '' }, ignore)).toThrow('without an id');
    expect(() => parsePod(null, ignore)).toThrow('without an id');
  });

  it('reads numbers sent as text and an empty runtime', () => {
    const pod = parsePod({ ...examplePod, cost: '0.74', gpu: { id: 'g', count: '2' }, runtime: {} }, ignore);
    expect(pod).toMatchObject({ costPerHourUsd: 0.74, gpu: { id: 'g', count: 2 } });
    expect(pod).not.toHaveProperty('uptimeSeconds');
    expect(parsePod({ ...examplePod, cost: 'free' }, ignore)).not.toHaveProperty('costPerHourUsd');
  });

  it('tells of times that it cannot read', () => {
    const odd: string[] = [];
    const pod = parsePod({ ...examplePod, createdAt: 'yesterday', startedAt: null }, (what) => odd.push(what));
    expect(pod).not.toHaveProperty('createdAt');
    expect(odd).toEqual(['pod createdAt "yesterday"']);
  });
});

describe('isoTime', () => {
  it.each([
    ['2026-03-13T20:00:00Z', '2026-03-13T20:00:00.000Z'],
    ['2026-03-13T20:00:00+02:00', '2026-03-13T18:00:00.000Z'],
    ['2025-12-16 17:44:56.715 +0000 UTC', '2025-12-16T17:44:56.715Z'],
    ['2025-12-16 17:44:56.715123456 +0100 CET m=+0.5', '2025-12-16T16:44:56.715Z'],
    ['soon', undefined],
  ])('%s', (raw, iso) => {
    expect(isoTime(raw)).toBe(iso);
  });
});

describe('predicates', () => {
  it.each([
    ['PROVISIONING', true, true, false],
    ['STARTING', true, true, false],
    ['RUNNING', true, true, false],
    ['EXITED', true, false, true],
    ['ERROR', true, true, true],
    ['TERMINATED', false, false, false],
    ['CREATED', true, true, false],
  ])('%s: alive %s, billing its GPU %s, failed %s', (status, alive, billing, failed) => {
    const pod = parsePod({ id: 'x', status }, ignore);
    expect([isAlive(pod), isBillingGpu(pod), hasFailed(pod)]).toEqual([alive, billing, failed]);
  });
});

describe('parseGpu', () => {
  it('has no price where the GPU is not offered', () => {
    const offer = parseGpu({ id: 'g', secure: true, community: true, price: { secure: 0.5, community: 0 } });
    expect(usdPerHour(offer, 'SECURE')).toBe(0.5);
    expect(usdPerHour(offer, 'COMMUNITY')).toBeUndefined();
    expect(usdPerHour(parseGpu({ id: 'g', secure: false, price: { secure: 0.5 } }), 'SECURE')).toBeUndefined();
    expect(() => parseGpu({ name: 'g' })).toThrow('without an id');
  });
});
