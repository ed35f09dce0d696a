import { describe, expect, it } from 'vitest';
import { faultKindNames } from '../../emulator/core/fault-kinds.js';
import { capacityText, CoreWorld, podBody, rtx4090, type Reply } from './core-world.js';

const tryCreate = (world: CoreWorld, change: Record<string, unknown> = {}): Reply =>
  world.call('POST', '/v2/pods', podBody(change));
const alive = (world: CoreWorld): number => world.core.livePods().length;

describe('faults of create', () => {
  it.each<[kind: string, status: number, delivery: string, pods: number]>([
    ['create-500-created', 500, 'answer', 1],
    ['create-timeout-created', 0, 'hang', 1],
    ['reply-cut', 0, 'cut', 1],
    ['create-500-not-created', 500, 'answer', 0],
    ['no-capacity', 400, 'answer', 0],
    ['no-balance', 402, 'answer', 0],
    ['server-error', 503, 'answer', 0],
    ['edge-html', 502, 'answer', 0],
    ['connection-cut', 0, 'cut', 0],
    ['hang', 0, 'hang', 0],
    ['bad-key', 401, 'answer', 0],
    ['rate-limited', 429, 'answer', 0],
  ])('%s: status %i, %s, and %i pods bill', (kind, status, delivery, pods) => {
    const world = new CoreWorld();
    world.fault({ kind });
    expect(tryCreate(world)).toMatchObject({ status, delivery });
    expect(alive(world)).toBe(pods);
    expect(world.core.ledger(world.nowMs)).toHaveLength(pods);
    expect(tryCreate(world).status).toBe(201);
  });

  it('a refused create uses up no fault of its reply', () => {
    const world = new CoreWorld();
    world.fault({ kind: 'create-500-created' });
    expect(tryCreate(world, { disk: 0 }).status).toBe(422);
    expect(tryCreate(world).status).toBe(500);
    expect(alive(world)).toBe(1);
  });

  it('no-capacity can be of one GPU', () => {
    const world = new CoreWorld();
    world.fault({ kind: 'no-capacity', gpu: rtx4090, times: 2 });
    expect(tryCreate(world, { gpu: { id: 'NVIDIA L4', count: 1 } }).status).toBe(201);
    expect(tryCreate(world)).toMatchObject({ status: 400, json: { detail: capacityText } });
    expect(tryCreate(world).status).toBe(400);
    expect(tryCreate(world).status).toBe(201);
  });

  it('gpu-count-required strikes only a create without gpu.count', () => {
    const world = new CoreWorld();
    world.fault({ kind: 'gpu-count-required', forSeconds: 60 });
    expect(tryCreate(world).status).toBe(201);
    expect(tryCreate(world, { gpu: { id: rtx4090 } })).toMatchObject({ status: 400, json: { detail: capacityText } });
  });
});

describe('faults that stay with a pod', () => {
  it('get-404-after-create hides it from GET alone, list-late from the list alone', () => {
    const world = new CoreWorld();
    world.fault({ kind: 'get-404-after-create', seconds: 3 });
    world.fault({ kind: 'list-late', seconds: 7 });
    const { id } = world.create();
    const look = (): unknown => [world.call('GET', `/v2/pods/${id}`).status, world.list().pods.length];
    expect(look()).toEqual([404, 0]);
    world.pass(3);
    expect(look()).toEqual([200, 0]);
    world.pass(4);
    expect(look()).toEqual([200, 1]);
  });

  it('a hidden pod can be terminated', () => {
    const world = new CoreWorld();
    world.fault({ kind: 'get-404-after-create' });
    const { id } = world.create();
    expect(world.call('DELETE', `/v2/pods/${id}`).status).toBe(204);
    expect(alive(world)).toBe(0);
  });

  it.each(['EXITED', 'ERROR'])(
    'image-unpullable ends the start in %s, with the reason in the system log',
    (podStatus) => {
      const world = new CoreWorld();
      world.fault({ kind: 'image-unpullable', podStatus });
      const { id } = world.create();
      world.pass(60);
      expect(world.get(id).status).toBe(podStatus);
      expect(world.effectsOf('start-container')).toEqual([]);
      expect(
        world.effectsOf('system-log').some((effect) => JSON.stringify(effect).includes('error pulling image')),
      ).toBe(true);
    },
  );

  it('crash-loop ends every container after its time', () => {
    const world = new CoreWorld();
    world.settings({ restartBackoffSeconds: 1, restartMaxBackoffSeconds: 1 });
    world.fault({ kind: 'crash-loop', seconds: 2 });
    const { id } = world.create();
    world.pass(30);
    expect(world.get(id).status).toBe('RUNNING');
    expect(world.effectsOf('start-container')).toHaveLength(10);
    expect(world.effectsOf('stop-container').every((effect) => 'reason' in effect && effect.reason === 'crash')).toBe(
      true,
    );
  });

  it('zero-gpu starts the container without one, at full price', () => {
    const world = new CoreWorld();
    world.fault({ kind: 'zero-gpu' });
    const { id, cost } = world.running();
    expect(world.core.environmentOf(world.core.livePod(id)!).RUNPOD_GPU_COUNT).toBe('0');
    expect(cost).toBe(0.69);
    const healthy = world.running();
    world.act(healthy.id, 'stop');
    world.fault({ kind: 'zero-gpu' });
    world.act(healthy.id, 'start');
    world.pass(1);
    expect(world.core.environmentOf(world.core.livePod(healthy.id)!).RUNPOD_GPU_COUNT).toBe('0');
  });

  it.each([undefined, 'STARTING'])('boot-stuck never gets beyond %s', (podStatus) => {
    const world = new CoreWorld();
    world.fault({ kind: 'boot-stuck', ...(podStatus ? { podStatus } : {}) });
    const { id } = world.create();
    world.pass(86_400);
    expect(world.get(id).status).toBe(podStatus ?? 'PROVISIONING');
    expect(world.call('DELETE', `/v2/pods/${id}`).status).toBe(204);
  });
});

describe('faults of the end', () => {
  it('get-404 hides a pod that lives and bills on', () => {
    const world = new CoreWorld();
    const { id } = world.running();
    world.fault({ kind: 'get-404', forSeconds: 10 });
    expect(world.call('GET', `/v2/pods/${id}`).status).toBe(404);
    expect(alive(world)).toBe(1);
    world.pass(10);
    expect(world.get(id).status).toBe('RUNNING');
  });

  it.each([
    ['delete-404', 404],
    ['delete-no-effect', 204],
  ])('%s answers %i and the pod lives and bills on', (kind, status) => {
    for (const way of ['DELETE', 'action']) {
      const world = new CoreWorld();
      const { id } = world.running();
      world.fault({ kind });
      const end = (): Reply => (way === 'DELETE' ? world.call('DELETE', `/v2/pods/${id}`) : world.act(id, 'terminate'));
      expect(end().status).toBe(status);
      expect(world.get(id).status).toBe('RUNNING');
      expect(end().status).toBe(204);
      expect(alive(world)).toBe(0);
    }
  });

  it.each([
    [undefined, 'RUNNING'],
    ['TERMINATED', 'TERMINATED'],
  ])('delete-still-listed keeps an ended pod in the list (%s)', (podStatus, shown) => {
    const world = new CoreWorld();
    const { id } = world.running();
    world.fault({ kind: 'delete-still-listed', seconds: 30, ...(podStatus ? { podStatus } : {}) });
    expect(world.call('DELETE', `/v2/pods/${id}`).status).toBe(204);
    expect(world.list().pods).toMatchObject([{ id, status: shown }]);
    expect(world.call('GET', `/v2/pods/${id}`).status).toBe(404);
    world.pass(30);
    expect(world.list().pods).toEqual([]);
    expect(world.core.ledger(world.nowMs)).toMatchObject([{ billedSeconds: 1, status: 'TERMINATED' }]);
  });

  it.each(['stop', 'restart'])('%s-no-op answers 200 and does nothing', (action) => {
    const world = new CoreWorld();
    const { id } = world.running();
    world.fault({ kind: `${action}-no-op` });
    world.effects.length = 0;
    expect(world.act(id, action)).toMatchObject({ status: 200, json: { status: 'RUNNING' } });
    expect(world.effects).toEqual([]);
  });
});

describe('faults of the list', () => {
  it('list-misses leaves out the newest pods of one listing', () => {
    const world = new CoreWorld();
    const ids = [1, 2, 3].map(() => world.create().id);
    world.fault({ kind: 'list-misses', count: 2 });
    expect(world.list().pods.map((pod) => pod.id)).toEqual(ids.slice(0, 1));
    expect(world.list().pods).toHaveLength(3);
  });

  it('list-small-page cuts one page, and the cursor finds the rest', () => {
    const world = new CoreWorld();
    const ids = [1, 2, 3].map(() => world.create().id);
    world.fault({ kind: 'list-small-page' });
    const first = world.list();
    expect(first.pods.map((pod) => pod.id)).toEqual(ids.slice(0, 1));
    expect(world.list({ cursor: first.pagination.nextCursor! }).pods.map((pod) => pod.id)).toEqual(ids.slice(1));
  });
});

describe('faults at the edge', () => {
  it('rate-limited comes with a Retry-After, another one, or none', () => {
    const world = new CoreWorld();
    const retryAfter = (fault: Record<string, unknown>): unknown => {
      world.fault({ kind: 'rate-limited', ...fault });
      const reply = world.call('GET', '/v2/pods');
      expect(reply.status).toBe(429);
      return reply.headers['retry-after'];
    };
    expect(retryAfter({})).toBe('1');
    expect(retryAfter({ retryAfterSeconds: 30 })).toBe('30');
    expect(retryAfter({ retryAfterSeconds: null })).toBeUndefined();
  });

  it('edge-html is a page, not a problem', () => {
    const world = new CoreWorld();
    world.fault({ kind: 'edge-html', status: 403 });
    const reply = world.call('GET', '/v2/pods');
    expect(reply.status).toBe(403);
    expect(reply.headers['content-type']).toMatch(/^text\/html/);
    expect(reply.json.text).toMatch(/^<!DOCTYPE html>/);
  });

  it('a storm lasts for its calls or for its time', () => {
    const world = new CoreWorld();
    world.fault({ kind: 'server-error', status: 500, times: 3 });
    const statuses = Array.from({ length: 4 }, () => world.call('GET', '/v2/pods').status);
    expect(statuses).toEqual([500, 500, 500, 200]);
    world.fault({ kind: 'server-error', forSeconds: 10 });
    for (let second = 0; second < 10; second += 1) {
      expect(world.call('GET', '/v2/pods').status).toBe(503);
      world.pass(1);
    }
    expect(world.call('GET', '/v2/pods').status).toBe(200);
  });

  it('strikes only what it matches: method, path, operation, pod', () => {
    const world = new CoreWorld();
    const first = world.running({ name: 'devloop.me.a' });
    const second = world.running({ name: 'devloop.me.b' });
    const check = (match: Record<string, unknown>, spared: () => Reply, struck: () => Reply): void => {
      world.fault({ kind: 'server-error', match });
      expect(spared().status).toBe(200);
      expect(struck().status).toBe(503);
    };
    const get = (id: string) => (): Reply => world.call('GET', `/v2/pods/${id}`);
    check({ podName: '.b' }, get(first.id), get(second.id));
    check({ podId: first.id }, get(second.id), get(first.id));
    check({ method: 'delete' }, get(first.id), () => world.call('DELETE', `/v2/pods/${first.id}`));
    check({ path: '/catalog/' }, get(first.id), () => world.call('GET', '/v2/catalog/gpus'));
    check(
      { operation: 'terminate' },
      () => world.act(first.id, 'restart'),
      () => world.act(first.id, 'terminate'),
    );
  });
});

describe('faults by seed', () => {
  const run = (seed: number): number[] => {
    const world = new CoreWorld();
    world.fault({ seed, probability: 0.5, kinds: ['server-error', 'rate-limited', 'create-500-created'] });
    return Array.from({ length: 40 }, () => tryCreate(world).status);
  };

  it('are the same for a seed and different for another', () => {
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
    expect(new Set(run(7))).toEqual(new Set([201, 429, 500, 503]));
  });

  it('strike always at 1 and never at 0', () => {
    for (const [probability, status] of [
      [1, 503],
      [0, 200],
    ]) {
      const world = new CoreWorld();
      world.fault({ seed: 1, probability, kinds: ['server-error'] });
      for (let call = 0; call < 50; call += 1) expect(world.call('GET', '/v2/pods').status).toBe(status);
    }
  });
});

describe('switching', () => {
  it('shows what is armed and how often it struck, and clears it', () => {
    const world = new CoreWorld();
    world.fault({ kind: 'hang', match: { path: '/billing' } });
    world.fault({ kind: 'server-error', times: 5 });
    world.fault({ seed: 3, probability: 0, kinds: ['hang'] });
    world.call('GET', '/v2/pods');
    const shown = (): { faults: unknown[]; kinds: Record<string, unknown> } =>
      world.call('GET', '/admin/faults').json as never;
    expect(shown().faults).toEqual([
      { id: 1, kind: 'hang', match: { path: '/billing' }, left: 1, struck: 0 },
      { id: 2, kind: 'server-error', times: 5, left: 4, struck: 1 },
      { id: 3, seed: 3, probability: 0, kinds: ['hang'], struck: 0 },
    ]);
    expect(Object.keys(shown().kinds)).toEqual(faultKindNames);
    expect(world.call('DELETE', '/admin/faults').status).toBe(204);
    expect(shown().faults).toEqual([]);
    expect(world.call('GET', '/v2/pods').status).toBe(200);
  });
});

describe('the proxy’s decisions', () => {
  it('are 404, 502 and forward by the state of the pod', () => {
    const world = new CoreWorld();
    const { id } = world.create({ ports: ['8000/http', '22/tcp', '9000'] });
    const status = (podId: string, port: number): unknown => {
      const decision = world.core.proxy(podId, port, { method: 'GET', path: '/' }, world.nowMs);
      return decision.kind === 'forward' ? 'forward' : decision.reply.status;
    };
    expect(status(id, 8000)).toBe(502);
    world.pass(1);
    expect([8000, 22, 9000, 1].map((port) => status(id, port))).toEqual(['forward', 404, 404, 404]);
    expect(status('nobody', 8000)).toBe(404);
    world.fault({ kind: 'proxy-524' });
    world.fault({ kind: 'proxy-html', status: 403 });
    world.fault({ kind: 'proxy-cut' });
    expect([1, 2, 3, 4].map(() => status(id, 8000))).toEqual([524, 403, 0, 'forward']);
    world.call('DELETE', `/v2/pods/${id}`);
    expect(status(id, 8000)).toBe(404);
  });
});
