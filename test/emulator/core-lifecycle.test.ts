import { describe, expect, it } from 'vitest';
import { CoreWorld } from './core-world.js';

describe('boot', () => {
  it('goes PROVISIONING, STARTING, RUNNING by the clock alone', () => {
    const world = new CoreWorld();
    world.settings({ provisioningSeconds: 10, startingSeconds: 20 });
    const { id, status } = world.create();
    expect(status).toBe('PROVISIONING');
    expect(world.core.nextDueMs()).toBe(world.nowMs + 10_000);
    world.pass(9.999);
    expect(world.get(id).status).toBe('PROVISIONING');
    world.pass(0.001);
    expect(world.get(id)).toMatchObject({ status: 'STARTING', startedAt: null });
    world.pass(20);
    expect(world.get(id)).toMatchObject({ status: 'RUNNING', startedAt: '2026-06-01T00:00:30.000Z' });
    expect(world.core.nextDueMs()).toBe(Infinity);
  });

  it('starts the container once, at RUNNING', () => {
    const world = new CoreWorld();
    const { id } = world.create();
    world.pass(0.5);
    expect(world.effectsOf('start-container')).toEqual([]);
    world.pass(100);
    expect(world.effectsOf('start-container')).toEqual([{ type: 'start-container', podId: id, generation: 1 }]);
  });

  it('happens at its own moments, however late the clock looks', () => {
    const world = new CoreWorld();
    const { id } = world.create();
    world.pass(3600);
    expect(world.get(id).startedAt).toBe('2026-06-01T00:00:00.800Z');
    const lines = world.effects.flatMap((effect) =>
      effect.type === 'system-log' ? [effect.atMs - world.startMs] : [],
    );
    expect(lines).toEqual([0, 300, 800]);
  });

  it('is not moved by a clock that goes back', () => {
    const world = new CoreWorld();
    const { id } = world.running();
    world.nowMs -= 500_000;
    expect(world.get(id)).toMatchObject({ status: 'RUNNING', runtime: { uptime: 0 } });
  });
});

describe('stop, start, restart', () => {
  it('stop ends the container and leaves an EXITED pod that start boots without provisioning', () => {
    const world = new CoreWorld();
    const { id } = world.running();
    expect(world.act(id, 'stop').json).toMatchObject({ status: 'EXITED', runtime: null, dataCenterId: 'US-KS-2' });
    expect(world.effects.at(-1)).toEqual({ type: 'stop-container', podId: id, reason: 'stop' });
    expect(world.act(id, 'start').json).toMatchObject({ status: 'STARTING' });
    world.pass(0.5);
    expect(world.get(id).status).toBe('RUNNING');
    expect(world.effects.at(-1)).toEqual({ type: 'start-container', podId: id, generation: 2 });
  });

  it('stop while booting cancels the boot', () => {
    const world = new CoreWorld();
    const { id } = world.create();
    world.act(id, 'stop');
    world.pass(60);
    expect(world.get(id).status).toBe('EXITED');
    expect(world.effectsOf('start-container')).toEqual([]);
  });

  it('restart keeps RUNNING, resets the uptime and gives TCP ports new numbers', () => {
    const world = new CoreWorld();
    const { id } = world.running();
    world.pass(50);
    const portOf = (): unknown =>
      (world.get(id).runtime as { ports: { private: number; public: number }[] }).ports.find((p) => p.private === 22);
    const before = portOf();
    expect(world.act(id, 'restart').json).toMatchObject({ status: 'RUNNING' });
    world.pass(5);
    expect(world.get(id).runtime).toMatchObject({ uptime: 4 });
    expect(portOf()).not.toEqual(before);
  });

  it('refuses to stop a locked pod', () => {
    const world = new CoreWorld();
    const { id } = world.running();
    world.call('PATCH', `/v2/pods/${id}`, { locked: true });
    expect(world.act(id, 'stop').status).toBe(409);
    expect(world.get(id).status).toBe('RUNNING');
  });
});

describe('terminate', () => {
  it.each(['DELETE', 'action'])('by %s takes the pod out of list and GET at once; the next one is a 404', (way) => {
    const world = new CoreWorld();
    const { id } = world.running();
    const end = () => (way === 'DELETE' ? world.call('DELETE', `/v2/pods/${id}`) : world.act(id, 'terminate'));
    expect(end().status).toBe(204);
    expect(world.list().pods).toEqual([]);
    expect(world.call('GET', `/v2/pods/${id}`).status).toBe(404);
    expect(end().status).toBe(404);
    expect(world.effects.at(-1)).toEqual({ type: 'stop-container', podId: id, reason: 'terminate' });
  });

  it('forgets environment and command, which may hold secrets', () => {
    const world = new CoreWorld();
    const { id } = world.running({ env: { TOKEN: 'secret-token' }, args: 'run secret-command' });
    expect(JSON.stringify(world.core.account())).toContain('secret-token');
    world.call('DELETE', `/v2/pods/${id}`);
    expect(JSON.stringify(world.core.account())).not.toMatch(/secret-(token|command)/);
  });
});

describe('a container that ends', () => {
  it('is started again with a growing pause, while the pod stays RUNNING and its uptime begins anew', () => {
    const world = new CoreWorld();
    const { id } = world.running();
    world.settings({ restartBackoffSeconds: 1, restartMaxBackoffSeconds: 4 });
    const pauses: number[] = [];
    for (let generation = 1; generation <= 4; generation += 1) {
      world.core.containerEnded(id, generation, 'exit code 1', world.nowMs);
      pauses.push((world.core.nextDueMs() - world.nowMs) / 1000);
      expect(world.get(id)).toMatchObject({ status: 'RUNNING', runtime: { uptime: 0, ports: [] } });
      world.pass(4);
    }
    expect(pauses).toEqual([1, 2, 4, 4]);
    world.pass(60);
    world.core.containerEnded(id, 5, 'exit code 1', world.nowMs);
    expect(world.core.nextDueMs() - world.nowMs).toBe(1000);
  });

  it('changes nothing when it is an earlier container, a stopped pod’s or an ended one’s', () => {
    const world = new CoreWorld();
    const { id } = world.running();
    world.act(id, 'restart');
    world.pass(1);
    world.core.containerEnded(id, 1, 'exit code 0', world.nowMs);
    expect(world.core.nextDueMs()).toBe(Infinity);
    world.act(id, 'stop');
    world.core.containerEnded(id, 2, 'exit code 0', world.nowMs);
    expect(world.get(id).status).toBe('EXITED');
    world.call('DELETE', `/v2/pods/${id}`);
    world.core.containerEnded(id, 2, 'exit code 0', world.nowMs);
    expect(world.core.nextDueMs()).toBe(Infinity);
  });
});

describe('the pod’s environment', () => {
  it('has RunPod’s variables over the caller’s', () => {
    const world = new CoreWorld();
    const { id } = world.running({
      gpu: { id: 'NVIDIA GeForce RTX 4090', count: 2 },
      mounts: { network: [{ volumeId: 'vol', path: '/workspace' }] },
    });
    const environment = world.core.environmentOf(world.core.livePod(id)!);
    expect(environment).toMatchObject({
      MODEL: 'tiny',
      RUNPOD_POD_ID: id,
      RUNPOD_DC_ID: 'US-KS-2',
      RUNPOD_GPU_COUNT: '2',
      RUNPOD_CPU_COUNT: '16',
      RUNPOD_VOLUME_ID: 'vol',
    });
    for (const name of ['RUNPOD_API_KEY', 'RUNPOD_POD_HOSTNAME', 'RUNPOD_PUBLIC_IP', 'RUNPOD_TCP_PORT_22']) {
      expect(environment[name]).toBeTruthy();
    }
  });
});

describe('pod-scoped key', () => {
  it('may stop and terminate its own pod and nothing else', () => {
    const world = new CoreWorld();
    const own = world.running();
    const other = world.running();
    const key = world.podKey(own.id);
    const as = (method: string, path: string, body?: unknown): number => world.call(method, path, body, { key }).status;
    expect(as('GET', '/v2/pods')).toBe(403);
    expect(as('GET', `/v2/pods/${own.id}`)).toBe(403);
    expect(as('PATCH', `/v2/pods/${own.id}`, { name: 'x' })).toBe(403);
    expect(as('POST', '/v2/pods', {})).toBe(403);
    expect(as('DELETE', `/v2/pods/${other.id}`)).toBe(403);
    expect(as('POST', `/v2/pods/${other.id}/action`, { action: 'terminate' })).toBe(403);
    expect(as('POST', `/v2/pods/${own.id}/action`, { action: 'restart' })).toBe(403);
    expect(as('POST', `/v2/pods/${own.id}/action`, { action: 'stop' })).toBe(200);
    expect(as('POST', `/v2/pods/${own.id}/action`, { action: 'terminate' })).toBe(204);
    expect(as('DELETE', `/v2/pods/${own.id}`)).toBe(404);
    expect(world.list().pods.map((pod) => pod.id)).toEqual([other.id]);
  });
});

describe('an account that is taken up again', () => {
  it('goes on where it was, billing included', () => {
    const first = new CoreWorld();
    const booting = first.create();
    const { id } = first.running();
    const second = new CoreWorld({ account: first.core.account(), seed: 2 });
    second.nowMs = first.nowMs;
    second.pass(3600);
    expect(second.get(id)).toMatchObject({ status: 'RUNNING', runtime: { uptime: 3600 } });
    expect(second.get(booting.id).status).toBe('RUNNING');
    expect(second.core.ledger(second.nowMs).map((entry) => entry.billedSeconds)).toEqual([3601, 3601]);
    const third = second.create();
    expect(second.list().pods.at(-1)!.id).toBe(third.id);
  });
});
