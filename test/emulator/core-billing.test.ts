import { describe, expect, it } from 'vitest';
import { CoreWorld } from './core-world.js';

const monthHours = 730;
const entryOf = (world: CoreWorld, id: string) => world.core.ledger(world.nowMs).find((entry) => entry.id === id)!;

describe('the ledger', () => {
  it('bills GPU and container disk by the second from create to terminate', () => {
    const world = new CoreWorld();
    const { id } = world.create({ disk: 73 });
    world.pass(3600);
    world.call('DELETE', `/v2/pods/${id}`);
    world.pass(5000);
    expect(entryOf(world, id)).toEqual({
      id,
      name: 'test-pod',
      status: 'TERMINATED',
      createdAt: '2026-06-01T00:00:00.000Z',
      terminatedAt: '2026-06-01T01:00:00.000Z',
      billedSeconds: 3600,
      costUsd: 0.69 + 0.01,
    });
  });

  it('counts a second that has begun, and is the same on /admin/ledger', () => {
    const world = new CoreWorld();
    const { id } = world.create();
    world.pass(10.001);
    expect(entryOf(world, id)).toMatchObject({ status: 'RUNNING', terminatedAt: null, billedSeconds: 11 });
    expect(world.call('GET', '/admin/ledger', undefined, { key: null }).json).toEqual({
      pods: world.core.ledger(world.nowMs),
    });
  });

  it('multiplies by the number of GPUs and keeps the price of the day of creation', () => {
    const world = new CoreWorld();
    const { id } = world.create({ gpu: { id: 'NVIDIA GeForce RTX 4090', count: 4 }, disk: 1, cloud: 'COMMUNITY' });
    world.settings({ gpus: { 'NVIDIA GeForce RTX 4090': { communityPriceUsd: 99 } } });
    world.pass(3600);
    expect(entryOf(world, id).costUsd).toBeCloseTo(4 * 0.34 + 0.1 / monthHours, 8);
  });

  it('goes on through boot, errors and crash loops', () => {
    const world = new CoreWorld();
    world.fault({ kind: 'boot-stuck' });
    const stuck = world.create();
    world.fault({ kind: 'image-unpullable', podStatus: 'ERROR' });
    const failed = world.create();
    world.fault({ kind: 'crash-loop' });
    const crashing = world.create();
    world.pass(3600);
    const costs = [stuck, failed, crashing].map(({ id }) => entryOf(world, id).costUsd);
    expect(new Set(costs).size).toBe(1);
    expect(costs[0]).toBeGreaterThan(0.69);
  });

  it('bills a stopped pod’s volume at twice the rate and nothing else', () => {
    const world = new CoreWorld();
    const { id } = world.running({ mounts: { persistent: { size: 100, path: '/workspace' } } });
    const atStop = entryOf(world, id).costUsd;
    world.act(id, 'stop');
    world.pass(3600);
    expect(entryOf(world, id).costUsd - atStop).toBeCloseTo((100 * 0.2) / monthHours, 8);
    world.act(id, 'start');
    const atStart = entryOf(world, id).costUsd;
    world.pass(3600);
    expect(entryOf(world, id).costUsd - atStart).toBeCloseTo(0.69 + ((40 + 100) * 0.1) / monthHours, 8);
  });

  it('bills a CPU pod by its vCPUs', () => {
    const world = new CoreWorld();
    const { id, cost } = world.create({ gpu: undefined, cpu: { id: 'cpu3c', vcpuCount: 4 }, disk: 1 });
    expect(cost).toBe(0.12);
    world.pass(3600);
    expect(entryOf(world, id).costUsd).toBeCloseTo(0.12 + 0.1 / monthHours, 8);
  });
});

describe('GET /v2/billing/pods', () => {
  interface Report {
    records: { startTime: string; endTime: string; podId: string; totalAmount: number; gpuAmount: number }[];
    metadata: { query: unknown; recordCount: number; uniquePodCount: number; totals: { totalAmount: number } };
  }
  const report = (world: CoreWorld, query: Record<string, string>): Report =>
    world.call('GET', '/v2/billing/pods', undefined, { query }).json as never;

  it('splits costs into buckets whose sum is the ledger', () => {
    const world = new CoreWorld();
    const { id } = world.create();
    world.pass(2.5 * 3600);
    const other = world.create();
    world.pass(3600);
    world.call('DELETE', `/v2/pods/${id}`);
    world.pass(600);
    const hourly = report(world, { bucketSize: 'hour', lastN: '4' });
    expect(
      hourly.records.filter((record) => record.podId === id).map((record) => record.startTime.slice(11, 13)),
    ).toEqual(['00', '01', '02', '03']);
    expect(hourly.records[0]).toMatchObject({ gpuAmount: 0.69, endTime: '2026-06-01T01:00:00.000Z' });
    expect(hourly.metadata).toMatchObject({ recordCount: 6, uniquePodCount: 2 });
    const ledgerSum = entryOf(world, id).costUsd + entryOf(world, other.id).costUsd;
    expect(hourly.metadata.totals.totalAmount).toBeCloseTo(ledgerSum, 8);
    expect(report(world, { podId: id }).metadata.totals.totalAmount).toBeCloseTo(entryOf(world, id).costUsd, 8);
  });

  it('snaps the window outward and defaults to 30 days by day', () => {
    const world = new CoreWorld();
    world.pass(12 * 3600);
    expect(report(world, {}).metadata.query).toEqual({
      startTime: '2026-05-02T00:00:00.000Z',
      endTime: '2026-06-02T00:00:00.000Z',
      bucketSize: 'day',
      podId: null,
    });
    const query = { startTime: '2026-05-13T10:30:00Z', endTime: '2026-05-20T00:00:01Z', bucketSize: 'week' };
    expect(report(world, query).metadata.query).toMatchObject({
      startTime: '2026-05-11T00:00:00.000Z',
      endTime: '2026-05-25T00:00:00.000Z',
    });
    expect(report(world, { lastN: '2', bucketSize: 'month' }).metadata.query).toMatchObject({
      startTime: '2026-05-01T00:00:00.000Z',
      endTime: '2026-07-01T00:00:00.000Z',
    });
    expect(report(world, { lastN: '1', bucketSize: 'year' }).metadata.query).toMatchObject({
      startTime: '2026-01-01T00:00:00.000Z',
      endTime: '2027-01-01T00:00:00.000Z',
    });
  });

  it.each([[{ startTime: 'yesterday' }], [{ bucketSize: 'minute' }], [{ lastN: '0' }]])(
    'refuses %j with 422',
    (query) => {
      expect(new CoreWorld().call('GET', '/v2/billing/pods', undefined, { query }).status).toBe(422);
    },
  );

  it.each([
    [{ startTime: '2026-06-03T00:00:00Z', endTime: '2026-06-01T00:00:00Z' }],
    [{ startTime: '1900-01-01T00:00:00Z', bucketSize: 'hour' }],
  ])('refuses %j with 400', (query) => {
    expect(new CoreWorld().call('GET', '/v2/billing/pods', undefined, { query }).status).toBe(400);
  });
});
