import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { capacityText, CoreWorld, podBody } from './core-world.js';

/** RunPod REST v2, Pod: its required keys, forms and enums, read from RunPod's OpenAPI document. */
const endpoint = z.strictObject({ host: z.string(), port: z.int(), username: z.string(), command: z.string() });
const utilization = z.strictObject({ util: z.int().min(0).max(100) });
const podShape = z.strictObject({
  id: z.string(),
  name: z.string(),
  status: z.enum(['PROVISIONING', 'STARTING', 'RUNNING', 'EXITED', 'ERROR', 'TERMINATED']),
  actions: z.array(z.enum(['start', 'stop', 'restart', 'terminate'])),
  image: z.string(),
  args: z.string(),
  disk: z.int().min(1),
  mounts: z.strictObject({
    persistent: z.strictObject({ size: z.int().min(10), path: z.string() }).optional(),
    network: z
      .array(z.strictObject({ volumeId: z.string(), path: z.string() }))
      .max(1)
      .optional(),
  }),
  ports: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  registry: z.string().nullable(),
  cloud: z.enum(['SECURE', 'COMMUNITY']),
  dataCenterId: z.string().nullable(),
  cudaVersion: z.string().nullable(),
  ssh: z.strictObject({ proxy: endpoint.nullable(), direct: endpoint.nullable() }),
  template: z.string().nullable(),
  cost: z.number(),
  locked: z.boolean(),
  runtime: z
    .strictObject({
      uptime: z.int().optional(),
      gpus: z.array(z.strictObject({ util: z.int(), memoryUtil: z.int() })).optional(),
      cpu: utilization.optional(),
      memory: utilization.optional(),
      ports: z
        .array(
          z.strictObject({ private: z.int(), public: z.int().nullable(), type: z.string(), ip: z.string().nullable() }),
        )
        .optional(),
    })
    .nullable(),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  globalNetworking: z.strictObject({
    enabled: z.boolean(),
    ip: z.string().optional(),
    internalDns: z.string().optional(),
  }),
  gpu: z.strictObject({ id: z.string(), count: z.int().min(1) }).optional(),
  cpu: z.strictObject({ id: z.string(), vcpuCount: z.int(), memory: z.int().min(1) }).optional(),
});

const problemShape = z.strictObject({
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  errors: z.array(z.string()).optional(),
});

const level = z.enum(['NONE', 'LOW', 'MEDIUM', 'HIGH']);
const gpuShape = z.strictObject({
  id: z.string(),
  name: z.string(),
  pool: z.string().nullable(),
  manufacturer: z.enum(['NVIDIA', 'AMD', 'UNKNOWN']),
  memory: z.int(),
  secure: z.boolean(),
  community: z.boolean(),
  price: z.strictObject({ secure: z.number(), community: z.number(), serverless: z.number().optional() }),
  maxCount: z.strictObject({ secure: z.int(), community: z.int() }),
  availability: level.optional(),
  dataCenters: z.array(z.strictObject({ id: z.string(), name: z.string(), availability: level })).optional(),
  cudaVersions: z.array(z.strictObject({ version: z.string().regex(/^\d+\.\d+$/), available: z.boolean() })).optional(),
});

describe('Pod', () => {
  it.each([
    ['a GPU pod', {}],
    ['a CPU pod', { gpu: undefined, cpu: { id: 'cpu5c', vcpuCount: 4 } }],
    ['a persistent mount', { mounts: { persistent: { size: 20, path: '/workspace' } } }],
    ['a network mount', { mounts: { network: [{ volumeId: 'vol_xyz', path: '/workspace' }] } }],
    ['global networking', { globalNetworking: true }],
  ])('%s has the required keys and forms in every status', (_what, change) => {
    const world = new CoreWorld();
    const { id } = world.create(change);
    const seen = [world.get(id)];
    world.pass(0.3);
    seen.push(world.get(id));
    world.pass(1);
    seen.push(world.get(id));
    world.act(id, 'stop');
    seen.push(world.get(id));
    for (const pod of [...seen, ...world.list().pods]) podShape.parse(pod);
    expect(seen.map((pod) => pod.status)).toEqual(['PROVISIONING', 'STARTING', 'RUNNING', 'EXITED']);
  });

  it('publishes the legal actions of each status', () => {
    const world = new CoreWorld();
    const { id } = world.create();
    const actions: Record<string, unknown> = {};
    const note = (): void => {
      const pod = world.get(id);
      actions[pod.status] = pod.actions;
    };
    note();
    world.pass(0.3);
    note();
    world.pass(1);
    note();
    world.act(id, 'stop');
    note();
    world.fault({ kind: 'image-unpullable', podStatus: 'ERROR' });
    const failed = world.create();
    world.pass(1);
    const errored = world.get(failed.id);
    actions[errored.status] = errored.actions;
    expect(actions).toEqual({
      PROVISIONING: ['stop', 'terminate'],
      STARTING: ['stop', 'terminate'],
      RUNNING: ['stop', 'restart', 'terminate'],
      EXITED: ['start', 'terminate'],
      ERROR: ['start', 'terminate'],
    });
  });

  it('costs 0 an hour when EXITED, its full price before', () => {
    const world = new CoreWorld();
    const { id, cost } = world.running({ gpu: { id: 'NVIDIA GeForce RTX 4090', count: 2 } });
    expect(cost).toBe(1.38);
    world.act(id, 'stop');
    expect(world.get(id).cost).toBe(0);
  });

  it('has no runtime unless RUNNING, and its uptime counts from the start of the container', () => {
    const world = new CoreWorld();
    const created = world.create();
    expect(created.runtime).toBeNull();
    world.pass(10.8);
    expect(world.get(created.id).runtime).toMatchObject({ uptime: 10 });
    world.act(created.id, 'stop');
    expect(world.get(created.id).runtime).toBeNull();
  });

  it('keeps no link to its template and never shows the write-only flags', () => {
    const world = new CoreWorld();
    const { id: templateId } = world.call('POST', '/v2/templates', { name: 't', image: 'i' }).json;
    const pod = world.create({ templateId, startSsh: true, startJupyter: true });
    expect(pod.template).toBeNull();
    expect(Object.keys(pod)).not.toEqual(expect.arrayContaining(['startSsh']));
    expect(Object.keys(pod.env as object)).toContain('JUPYTER_PASSWORD');
  });
});

/** Calls, and the status that the specification gives them. */
const refusals: [
  what: string,
  status: number,
  call: (world: CoreWorld, id: string) => ReturnType<CoreWorld['call']>,
][] = [
  ['no bearer token', 401, (world) => world.call('GET', '/v2/pods', undefined, { key: null })],
  ['a wrong key', 401, (world) => world.call('GET', '/v2/pods', undefined, { key: 'wrong' })],
  ['an unknown pod', 404, (world) => world.call('GET', '/v2/pods/nobody')],
  ['DELETE of an unknown pod', 404, (world) => world.call('DELETE', '/v2/pods/nobody')],
  ['an action on an unknown pod', 404, (world) => world.act('nobody', 'stop')],
  ['logs of an unknown pod', 404, (world) => world.call('GET', '/v2/pods/nobody/logs')],
  ['an unknown path', 404, (world) => world.call('GET', '/v2/nothing')],
  ['network volumes without the hyphen', 404, (world) => world.call('GET', '/v2/networkvolumes')],
  ['a wrong method', 405, (world) => world.call('PUT', '/v2/pods')],
  ['a wrong method on a pod', 405, (world, id) => world.call('POST', `/v2/pods/${id}`)],
  ['an illegal action', 409, (world, id) => world.act(id, 'start')],
  ['an action that v1 had', 422, (world, id) => world.act(id, 'reset')],
  ['an unknown template', 404, (world) => world.call('POST', '/v2/pods', podBody({ templateId: 'none' }))],
  ['REST v1', 410, (world) => world.call('GET', '/v1/pods')],
  ['an unknown GPU in the catalog', 404, (world) => world.call('GET', '/v2/catalog/gpus/nothing')],
  [
    'availability without a product',
    400,
    (world) => world.call('GET', '/v2/catalog/gpus', undefined, { query: { include: 'AVAILABILITY' } }),
  ],
  [
    'a product without availability',
    400,
    (world) => world.call('GET', '/v2/catalog/gpus', undefined, { query: { product: 'POD' } }),
  ],
  [
    'a malformed country code',
    422,
    (world) =>
      world.call('GET', '/v2/catalog/gpus', undefined, {
        query: { include: 'AVAILABILITY', product: 'POD', countryCodes: 'france' },
      }),
  ],
  [
    'too long a tail of the log',
    422,
    (world, id) => world.call('GET', `/v2/pods/${id}/logs`, undefined, { query: { tail: '5001' } }),
  ],
  [
    'lastN beside startTime',
    400,
    (world) =>
      world.call('GET', '/v2/billing/pods', undefined, { query: { lastN: '2', startTime: '2026-06-01T00:00:00Z' } }),
  ],
];

describe('errors', () => {
  it.each(refusals)('%s: %i as problem+json', (_what, status, call) => {
    const world = new CoreWorld();
    const { id } = world.running();
    const reply = call(world, id);
    expect(reply.status).toBe(status);
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(problemShape.parse(reply.json).status).toBe(status);
  });

  it('name the methods that are allowed', () => {
    const world = new CoreWorld();
    expect(world.call('PUT', '/v2/pods').headers.allow).toBe('GET, POST');
    expect(world.call('PUT', '/v2/pods/x').headers.allow).toBe('GET, PATCH, DELETE');
  });

  it('use the documented texts', () => {
    const world = new CoreWorld();
    expect(world.call('GET', '/v2/pods', undefined, { key: null }).json.detail).toBe('missing bearer token');
    expect(world.call('POST', '/v2/pods', podBody({ bogus: 1 })).json.errors).toEqual([
      "$: additional properties 'bogus' not allowed",
    ]);
    world.settings({ gpus: { 'NVIDIA GeForce RTX 4090': { availability: 'NONE' } } });
    expect(world.call('POST', '/v2/pods', podBody()).json.detail).toBe(capacityText);
  });

  it.each(['stop', 'start', 'restart', 'terminate'])(
    'answer %s with 200 and the pod, terminate with an empty 204',
    (action) => {
      const world = new CoreWorld();
      const { id } = world.running();
      if (action === 'start') world.act(id, 'stop');
      const reply = world.act(id, action);
      expect(reply.status).toBe(action === 'terminate' ? 204 : 200);
      if (action === 'terminate') expect(reply.json).toEqual({ text: '' });
      else podShape.parse(reply.json);
    },
  );
});

describe('headers', () => {
  it('carry the quota of the specification’s example on authenticated answers only', () => {
    const world = new CoreWorld({ quota: true });
    const reply = world.call('GET', '/v2/pods');
    expect(reply.headers.ratelimit).toBe('"minute";r=59;t=60, "hour";r=2999;t=3600, "day";r=49999;t=86400');
    expect(reply.headers['ratelimit-policy']).toBe('"minute";q=60;w=60, "hour";q=3000;w=3600, "day";q=50000;w=86400');
    expect(world.call('GET', '/v2/pods/nobody').headers.ratelimit).toMatch(/r=58/);
    expect(world.call('GET', '/v2/pods', undefined, { key: null }).headers.ratelimit).toBeUndefined();
  });

  it('carry a request id of its own on every answer', () => {
    const world = new CoreWorld();
    const ids = [
      world.call('GET', '/v2/pods'),
      world.call('GET', '/v2/pods', undefined, { key: null }),
      world.call('GET', '/v1/pods'),
      world.call('GET', '/elsewhere'),
    ].map((reply) => reply.headers['x-request-id']);
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('catalog', () => {
  it('has the documented forms with and without availability', () => {
    const world = new CoreWorld();
    const { gpus } = world.call('GET', '/v2/catalog/gpus').json as { gpus: unknown[] };
    for (const gpu of gpus) expect(gpuShape.parse(gpu).availability).toBeUndefined();
    const query = { include: 'AVAILABILITY', product: 'POD' };
    const withStock = world.call('GET', '/v2/catalog/gpus', undefined, { query }).json as { gpus: unknown[] };
    for (const gpu of withStock.gpus) expect(gpuShape.parse(gpu).availability).toBeDefined();
    const one = world.call('GET', `/v2/catalog/gpus/${encodeURIComponent('NVIDIA GeForce RTX 4090')}`);
    expect(gpuShape.parse(one.json)).toMatchObject({ pool: 'ADA_24', price: { secure: 0.69, community: 0.34 } });
  });

  it('narrows by country, count and CUDA version', () => {
    const world = new CoreWorld();
    const ask = (filter: Record<string, string>): { id: string; availability: string }[] =>
      (
        world.call('GET', '/v2/catalog/gpus', undefined, {
          query: { include: 'AVAILABILITY', product: 'POD', ...filter },
        }).json as { gpus: { id: string; availability: string }[] }
      ).gpus;
    expect(ask({ countryCodes: 'SE' }).map((gpu) => gpu.id)).toEqual([
      'NVIDIA GeForce RTX 4090',
      'NVIDIA GeForce RTX 5090',
      'NVIDIA A100 80GB PCIe',
    ]);
    expect(ask({ count: '9' }).every((gpu) => gpu.availability === 'NONE')).toBe(true);
    expect(ask({ minCudaVersion: '12.11' }).every((gpu) => gpu.availability === 'NONE')).toBe(true);
    expect(ask({ cudaVersions: '12.8' }).some((gpu) => gpu.availability === 'HIGH')).toBe(true);
  });

  it('lists data centres with the documented keys and filters', () => {
    const world = new CoreWorld();
    const centers = (query: Record<string, string>): Record<string, unknown>[] =>
      (world.call('GET', '/v2/catalog/datacenters', undefined, { query }).json as { dataCenters: never[] }).dataCenters;
    expect(Object.keys(centers({})[0]!)).toEqual(
      expect.arrayContaining(['id', 'name', 'region', 'globalNetwork', 'networkVolumeTypes', 'compliance']),
    );
    const european = centers({ regions: 'EUROPE', include: 'GPU_AVAILABILITY' });
    expect(european.map((center) => center.id)).toEqual(['EU-RO-1', 'EU-SE-1']);
    expect(european[0]!.gpuAvailability).toContainEqual({
      id: 'NVIDIA GeForce RTX 4090',
      name: 'RTX 4090',
      availability: 'HIGH',
    });
    expect(centers({ networkVolumeTypes: 'STANDARD,HIGH_PERFORMANCE' }).map((center) => center.id)).toEqual([
      'US-KS-2',
    ]);
  });
});
