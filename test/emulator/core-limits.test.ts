import { describe, expect, it } from 'vitest';
import { CoreWorld } from './core-world.js';

describe('the quota', () => {
  it('is on by default and refuses the 61st request of a minute until the next one', () => {
    const world = new CoreWorld({ quota: true });
    world.nowMs += 20_000;
    for (let request = 0; request < 60; request += 1) expect(world.call('GET', '/v2/pods').status).toBe(200);
    const refused = world.call('GET', '/v2/pods');
    expect(refused.status).toBe(429);
    expect(refused.json).toMatchObject({
      title: 'Too Many Requests',
      detail: 'rate limit exceeded for the minute window',
    });
    expect(refused.headers['retry-after']).toBe('40');
    expect(refused.headers.ratelimit).toContain('"minute";r=0;t=40');
    world.nowMs += 40_000;
    expect(world.call('GET', '/v2/pods').status).toBe(200);
  });

  it('names the longest exhausted window, is shared by pod keys and does not count refused or unauthenticated calls', () => {
    const world = new CoreWorld();
    const { id } = world.running();
    const key = world.podKey(id);
    world.settings({ quota: { minute: 5, hour: 5, day: 100 } });
    for (let call = 0; call < 20; call += 1) world.call('GET', '/v2/pods', undefined, { key: 'wrong' });
    for (let call = 0; call < 3; call += 1) expect(world.call('GET', '/v2/pods', undefined, { key }).status).toBe(403);
    for (let call = 0; call < 2; call += 1) expect(world.call('GET', '/v2/pods').status).toBe(200);
    for (let call = 0; call < 9; call += 1) {
      expect(world.call('GET', '/v2/pods').json.detail).toBe('rate limit exceeded for the hour window');
    }
    expect(world.call('GET', '/v2/pods').headers['retry-after']).toBe('3599');
    world.nowMs += 3_600_000;
    expect(world.call('GET', '/v2/pods').headers.ratelimit).toMatch(
      /^"minute";r=4;t=59, "hour";r=4;t=3599, "day";r=94/,
    );
  });

  it('can be lifted: then there are no headers either', () => {
    const world = new CoreWorld();
    for (let request = 0; request < 200; request += 1) world.call('GET', '/v2/pods');
    const reply = world.call('GET', '/v2/pods');
    expect(reply.status).toBe(200);
    expect(reply.headers.ratelimit).toBeUndefined();
  });
});

describe('paging', () => {
  it('is always announced, and off until pages are made small', () => {
    const world = new CoreWorld();
    for (let pod = 0; pod < 30; pod += 1) world.create();
    expect(world.list().pods).toHaveLength(30);
    expect(world.list().pagination).toEqual({ nextCursor: null, hasNextPage: false });
  });

  it('shows every pod once, although pods come and go between the pages', () => {
    const world = new CoreWorld();
    const ids = Array.from({ length: 7 }, (_, index) => world.create({ name: `pod-${index}` }).id);
    world.settings({ pageSize: 3 });
    const first = world.list();
    expect(first.pods.map((pod) => pod.id)).toEqual(ids.slice(0, 3));
    expect(first.pagination).toEqual({ nextCursor: expect.any(String) as string, hasNextPage: true });
    world.call('DELETE', `/v2/pods/${ids[2]!}`);
    world.call('DELETE', `/v2/pods/${ids[0]!}`);
    const late = world.create();
    const second = world.list({ cursor: first.pagination.nextCursor! });
    expect(second.pods.map((pod) => pod.id)).toEqual(ids.slice(3, 6));
    const third = world.list({ cursor: second.pagination.nextCursor! });
    expect(third.pods.map((pod) => pod.id)).toEqual([ids[6], late.id]);
    expect(third.pagination).toEqual({ nextCursor: null, hasNextPage: false });
  });

  it('ignores unknown query keys and refuses a cursor of nobody', () => {
    const world = new CoreWorld();
    const { id } = world.create();
    expect(world.list({ name: 'other', status: 'EXITED', limit: '0' }).pods.map((pod) => pod.id)).toEqual([id]);
    expect(world.call('GET', '/v2/pods', undefined, { query: { cursor: 'nonsense' } }).status).toBe(400);
  });
});

describe('list lag', () => {
  it('hides new pods from the list, not from GET', () => {
    const world = new CoreWorld();
    const old = world.create();
    world.pass(10);
    world.settings({ listLagSeconds: 5 });
    const { id } = world.create();
    expect(world.list().pods.map((pod) => pod.id)).toEqual([old.id]);
    expect(world.get(id).id).toBe(id);
    world.pass(5);
    expect(world.list().pods.map((pod) => pod.id)).toEqual([old.id, id]);
  });
});

describe('/admin', () => {
  it('logs what the API was asked, by whom and about which pod', () => {
    const world = new CoreWorld();
    const { id } = world.create();
    world.call('GET', `/v2/pods/${id}`, undefined, { key: null });
    world.call('DELETE', `/v2/pods/${id}`, undefined, { key: world.podKey(id) });
    world.call('GET', '/admin/ledger');
    expect(world.call('GET', '/admin/requests').json).toEqual({
      requests: [
        { at: '2026-06-01T00:00:00.000Z', method: 'POST', path: '/v2/pods', status: 201, key: 'account', podId: id },
        { at: '2026-06-01T00:00:00.000Z', method: 'GET', path: `/v2/pods/${id}`, status: 401, key: 'none', podId: id },
        {
          at: '2026-06-01T00:00:00.000Z',
          method: 'DELETE',
          path: `/v2/pods/${id}`,
          status: 204,
          key: 'pod',
          podId: id,
        },
      ],
      dropped: 0,
    });
  });

  it('keeps a bounded log and says how much it dropped', () => {
    const world = new CoreWorld();
    for (let call = 0; call < 25_000; call += 1) world.call('GET', '/v1/pods');
    const { requests, dropped } = world.call('GET', '/admin/requests').json as { requests: unknown[]; dropped: number };
    expect(requests.length + dropped).toBe(25_000);
    expect(requests.length).toBeLessThanOrEqual(11_000);
    expect(requests.length).toBeGreaterThanOrEqual(10_000);
  });

  it.each<[string, string, unknown, number]>([
    ['PATCH', '/admin/settings', { bogus: 1 }, 422],
    ['PATCH', '/admin/settings', { pageSize: 0 }, 422],
    ['PATCH', '/admin/settings', { quota: { minute: 1 } }, 422],
    ['POST', '/admin/faults', { kind: 'unheard-of' }, 422],
    ['POST', '/admin/faults', { kind: 'hang', times: 0 }, 422],
    ['POST', '/admin/faults', { seed: 1, probability: 2, kinds: ['hang'] }, 422],
    ['POST', '/admin/ledger', undefined, 405],
    ['GET', '/admin/nothing', undefined, 404],
    ['GET', '/admin/constructor', undefined, 404],
  ])('%s %s %j is refused with %i', (method, path, body, status) => {
    const world = new CoreWorld();
    const before = world.core.settings;
    expect(world.call(method, path, body, { key: null }).status).toBe(status);
    expect(world.core.settings).toEqual(before);
  });
});
