import { describe, expect, it } from 'vitest';
import { capacityText, CoreWorld, podBody, rtx4090 } from './core-world.js';

const gpu = (change: Record<string, unknown>): Record<string, unknown> => ({
  gpu: { id: rtx4090, count: 1, ...change },
});
const persistent = { persistent: { size: 20, path: '/workspace' } };
const network = { network: [{ volumeId: 'vol', path: '/workspace' }] };

describe('a create that breaks the schema is a 422 that says where', () => {
  it.each<[string, Record<string, unknown>, string]>([
    [
      'an unknown key',
      { bogus: true, terminateAfter: 'x' },
      "$: additional properties 'bogus', 'terminateAfter' not allowed",
    ],
    ['an unknown key inside', gpu({ bogus: 1 }), "$.gpu: additional properties 'bogus' not allowed"],
    ['no name', { name: undefined }, '$.name: '],
    ['an empty name', { name: '' }, '$.name: '],
    ['no image and no template', { image: undefined }, "$: missing property 'image'"],
    ['a disk of 0', { disk: 0 }, '$.disk: '],
    ['a disk of half a GB', { disk: 1.5 }, '$.disk: '],
    ['half a GPU', gpu({ count: 0.5 }), '$.gpu.count: '],
    ['minus one GPU', gpu({ count: -1 }), '$.gpu.count: '],
    ['the cloud ALL of v1', { cloud: 'ALL' }, '$.cloud: '],
    ['a number in env', { env: { A: 1 } }, '$.env.A: '],
    [
      'a RUNPOD_ variable',
      { env: { RUNPOD_API_KEY: 'x' } },
      "$.env: environment variable 'RUNPOD_API_KEY' is reserved",
    ],
    ['an impossible variable name', { env: { 'A=B': 'x' } }, '$.env: '],
    ['a NUL in a variable', { env: { A: 'x\0y' } }, '$.env: '],
    ['a NUL in args', { args: 'x\0y' }, '$.args: '],
    ['51 variables', { env: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`V${i}`, ''])) }, '$.env: '],
    ['a port that is none', { ports: ['http'] }, '$.ports.0: '],
    ['a port beyond 65535', { ports: ['70000/http'] }, '$.ports.0: '],
    ['half a mount', { mounts: { persistent: { size: 20 } } }, '$.mounts.persistent.path: '],
    ['a small mount', { mounts: { persistent: { size: 9, path: '/w' } } }, '$.mounts.persistent.size: '],
    ['two network mounts', { mounts: { network: [network.network[0], network.network[0]] } }, '$.mounts.network: '],
    ['an empty templateId', { templateId: '' }, '$.templateId: '],
  ])('%s', (_what, change, where) => {
    const world = new CoreWorld();
    const reply = world.call('POST', '/v2/pods', podBody(change));
    expect(reply.status).toBe(422);
    expect((reply.json.errors as string[]).some((error) => error.startsWith(where))).toBe(true);
    expect(world.core.ledger(world.nowMs)).toEqual([]);
  });

  it.each([['[]'], ['"text"'], ['null'], ['12']])('a body that is no object: %s', (raw) => {
    expect(new CoreWorld().call('POST', '/v2/pods', undefined, { raw }).status).toBe(422);
  });

  it.each([[''], ['   '], ['{'], ['{"name":'], ['nonsense']])('but one that is no JSON is a 400: %j', (raw) => {
    const reply = new CoreWorld().call('POST', '/v2/pods', undefined, { raw });
    expect(reply.status).toBe(400);
    expect(reply.json.detail).toMatch(/body is/);
  });
});

describe('a create that breaks a rule between fields is a 400', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['neither gpu nor cpu', { gpu: undefined }, /exactly one of gpu or cpu/],
    ['gpu and cpu', { cpu: { id: 'cpu5c', vcpuCount: 2 } }, /exactly one of gpu or cpu/],
    ['both kinds of mount', { mounts: { ...persistent, ...network } }, /mutually exclusive/],
    [
      'a persistent mount on CPU',
      { gpu: undefined, cpu: { id: 'cpu5c', vcpuCount: 2 }, mounts: persistent },
      /CPU pods/,
    ],
    ['both CUDA keys', gpu({ allowedCudaVersions: ['12.8'], minCudaVersion: '12.1' }), /mutually exclusive/],
    ['a network volume on COMMUNITY', { cloud: 'COMMUNITY', mounts: network }, /SECURE/],
    ['eleven http ports', { ports: Array.from({ length: 11 }, (_, i) => `${8000 + i}/http`) }, /maximum 10/],
    ['an unknown GPU', { gpu: { id: 'NVIDIA Abacus', count: 1 } }, /'NVIDIA Abacus'/],
    ['an unknown CPU', { gpu: undefined, cpu: { id: 'abacus', vcpuCount: 2 } }, /'abacus'/],
  ])('%s', (_what, change, detail) => {
    const reply = new CoreWorld().call('POST', '/v2/pods', podBody(change));
    expect(reply.status).toBe(400);
    expect(reply.json.detail).toMatch(detail);
  });
});

describe('a create without capacity is a 400 with RunPod’s text', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a GPU that is out', { gpu: { id: 'AMD Instinct MI300X OAM', count: 1 } }],
    ['more GPUs than a machine has', gpu({ count: 9 })],
    ['a data centre without it', { gpu: { id: 'NVIDIA L4', count: 1 }, dataCenterIds: ['EU-RO-1'] }],
    ['a data centre that does not exist', { dataCenterIds: ['MARS-1'] }],
    ['a cloud that does not offer it', { gpu: { id: 'NVIDIA L4', count: 1 }, cloud: 'COMMUNITY' }],
    ['a CUDA version that no machine has', gpu({ allowedCudaVersions: ['11.8'] })],
    ['a CUDA floor above all machines', gpu({ minCudaVersion: '12.11' })],
  ])('%s', (_what, change) => {
    const world = new CoreWorld();
    const reply = world.call('POST', '/v2/pods', podBody(change));
    expect(reply).toMatchObject({ status: 400, json: { detail: capacityText } });
    expect(world.core.ledger(world.nowMs)).toEqual([]);
  });

  it('and follows the settings, by GPU', () => {
    const world = new CoreWorld();
    world.settings({ gpus: { [rtx4090]: { availability: 'NONE' }, 'NVIDIA L4': { securePriceUsd: 0.1 } } });
    expect(world.call('POST', '/v2/pods', podBody()).status).toBe(400);
    expect(world.create({ gpu: { id: 'NVIDIA L4', count: 3 } }).cost).toBe(0.3);
  });
});

describe('defaults and templates', () => {
  it('are the specification’s: SECURE, one GPU, no ports, no storage', () => {
    const pod = new CoreWorld().create({ ports: undefined, env: undefined, gpu: { id: rtx4090 } });
    expect(pod).toMatchObject({
      cloud: 'SECURE',
      gpu: { id: rtx4090, count: 1 },
      ports: [],
      mounts: {},
      env: {},
      args: '',
      registry: null,
      cost: 0.69,
    });
    expect(pod.id).toMatch(/^[a-z0-9]{14}$/);
    expect(new CoreWorld().create({ cloud: 'COMMUNITY' }).cost).toBe(0.34);
  });

  it('take odd names as they are, and two of the same', () => {
    const world = new CoreWorld();
    for (const name of ['ü ☃ "quoted"', '../../etc/passwd', 'a'.repeat(5000), '__proto__', 'same', 'same']) {
      expect(world.create({ name }).name).toBe(name);
    }
    expect(world.list().pods).toHaveLength(6);
  });

  it('let the body win over the template and merge env by key', () => {
    const world = new CoreWorld();
    const template = world.call('POST', '/v2/templates', {
      name: 'mine',
      image: 'template/image',
      args: 'template args',
      disk: 10,
      ports: ['8000/http'],
      env: { A: 'template', B: 'template' },
      mounts: persistent,
      startJupyter: false,
    });
    expect(template.status).toBe(201);
    const body = {
      name: 'p',
      gpu: { id: rtx4090, count: 1 },
      templateId: template.json.id,
      disk: 77,
      env: { B: 'body' },
    };
    const reply = world.call('POST', '/v2/pods', body);
    expect(reply.json).toMatchObject({
      image: 'template/image',
      args: 'template args',
      disk: 77,
      ports: ['8000/http'],
      env: { A: 'template', B: 'body' },
      mounts: persistent,
    });
    const cpu = world.call('POST', '/v2/pods', { ...body, gpu: undefined, cpu: { id: 'cpu5c', vcpuCount: 2 } });
    expect(cpu.json.mounts).toEqual({});
    expect(world.call('GET', `/v2/templates/${String(template.json.id)}`).json).toEqual(template.json);
    expect(world.call('GET', '/v2/templates').json).toEqual({ templates: [template.json] });
  });

  it('refuse a serverless template', () => {
    const world = new CoreWorld();
    const { id } = world.call('POST', '/v2/templates', { name: 's', image: 'i', serverless: true }).json;
    expect(world.call('POST', '/v2/pods', podBody({ templateId: id })).status).toBe(422);
  });
});

describe('PATCH', () => {
  it('changes what is given, replaces env, and renews the container where it has to', () => {
    const world = new CoreWorld();
    const { id } = world.running();
    world.effects.length = 0;
    expect(world.call('PATCH', `/v2/pods/${id}`, { name: 'renamed' }).json).toMatchObject({
      name: 'renamed',
      disk: 40,
    });
    expect(world.effects).toEqual([{ type: 'pod-changed', podId: id }]);
    expect(world.call('PATCH', `/v2/pods/${id}`, { env: { NEW: '1' } }).json.env).toEqual({ NEW: '1' });
    expect(world.effectsOf('stop-container')).toEqual([{ type: 'stop-container', podId: id, reason: 'restart' }]);
    world.pass(1);
    expect(world.effectsOf('start-container')).toHaveLength(1);
  });

  it.each<[string, number, Record<string, unknown>]>([
    ['an unknown key', 422, { status: 'RUNNING' }],
    ['a new kind of mount', 400, { mounts: network }],
    ['a smaller mount', 400, { mounts: { persistent: { size: 10, path: '/workspace' } } }],
    ['no mount', 400, { mounts: { network: [] } }],
    ['an unknown template', 404, { templateId: 'none' }],
  ])('refuses %s with %i and leaves the pod as it was', (_what, status, change) => {
    const world = new CoreWorld();
    const before = world.running({ mounts: persistent });
    expect(world.call('PATCH', `/v2/pods/${before.id}`, change).status).toBe(status);
    expect(world.get(before.id)).toEqual(before);
  });
});

describe('402', () => {
  it('comes when the credit does not last for the first hour, and start needs credit too', () => {
    const world = new CoreWorld();
    world.settings({ balanceUsd: 1 });
    const { id } = world.running();
    world.act(id, 'stop');
    world.settings({ balanceUsd: 0.68 });
    const reply = world.call('POST', '/v2/pods', podBody());
    expect(reply).toMatchObject({ status: 402, json: { title: 'Payment Required' } });
    expect(world.act(id, 'start').status).toBe(402);
    expect(world.get(id).status).toBe('EXITED');
    expect(world.core.ledger(world.nowMs)).toHaveLength(1);
  });

  it('counts what pods have cost since the balance was set', () => {
    const world = new CoreWorld();
    world.settings({ balanceUsd: 2 });
    world.create();
    world.pass(2 * 3600);
    expect(world.call('POST', '/v2/pods', podBody()).status).toBe(402);
    world.settings({ balanceUsd: 2 });
    world.create();
  });
});
