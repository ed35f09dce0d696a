import { execFileSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  buildPodSpec,
  gateToken,
  loadPodScripts,
  podEndpoint,
  type PodNeeds,
  RunPodError,
} from '../../../src/runpod/index.js';
import { nameOf } from '../../support/run-activity.js';

const needs: PodNeeds = {
  podName: 'devloop.me.default.run.1.1790000000',
  gpuId: 'NVIDIA GeForce RTX 4090',
  gpuCount: 1,
  cloud: 'SECURE',
  image: 'runpod/pytorch:1',
  diskGb: 40,
  api: 'ollama',
  env: { DEVLOOP_MODEL: 'm' },
  scripts: { args: 'bash -c start', packed: 'cGFja2Vk' },
};

describe('buildPodSpec', () => {
  it('always sends the count and the ports, and nothing that the specification lacks', () => {
    expect(buildPodSpec(needs)).toEqual({
      name: 'devloop.me.default.run.1.1790000000',
      image: 'runpod/pytorch:1',
      gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
      cloud: 'SECURE',
      disk: 40,
      ports: ['11434/http'],
      env: { DEVLOOP_MODEL: 'm', DEVLOOP_POD_SCRIPTS: 'cGFja2Vk' },
      args: 'bash -c start',
    });
  });

  it('sends port, template, data centres and volume when asked', () => {
    const { image, ...rest } = needs;
    expect(image).toBeDefined();
    const spec = buildPodSpec({
      ...rest,
      api: 'openai',
      templateId: 't1',
      dataCenterIds: ['EU-1'],
      networkVolumeId: 'v1',
    });
    expect(spec).toMatchObject({
      ports: ['8000/http'],
      templateId: 't1',
      dataCenterIds: ['EU-1'],
      mounts: { network: [{ volumeId: 'v1', path: '/workspace' }] },
    });
    expect(spec).not.toHaveProperty('image');
    expect(buildPodSpec({ ...needs, dataCenterIds: [] })).not.toHaveProperty('dataCenterIds');
  });

  it.each<[string, Partial<PodNeeds>, RegExp]>([
    ['both image and template', { templateId: 't' }, /either an image or a templateId/],
    ['neither', { image: undefined }, /either an image or a templateId/],
    ['RunPod’s own variables', { env: { RUNPOD_API_KEY: 'secret-value' } }, /RUNPOD_API_KEY belongs to RunPod/],
    ['the same in small letters', { env: { runpod_pod_id: 'x' } }, /runpod_pod_id belongs to RunPod/],
    ['the scripts’ variable', { env: { DEVLOOP_POD_SCRIPTS: 'x' } }, /DEVLOOP_POD_SCRIPTS is set by Devloop/],
    ['a volume outside the Secure Cloud', { cloud: 'COMMUNITY', networkVolumeId: 'v' }, /Secure Cloud only/],
    [
      '50 variables of one’s own',
      { env: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`V${i}`, ''])) },
      /at most 50/,
    ],
  ])('refuses %s', (_name, change, message) => {
    const build = () => buildPodSpec({ ...needs, ...change });
    expect(build).toThrow(RunPodError);
    expect(build).toThrow(message);
    expect(build).not.toThrow(/secret-value/);
  });
});

describe('loadPodScripts', () => {
  let directory: string;
  let target: string;
  beforeEach(() => {
    [directory, target] = [mkdtempSync(join(tmpdir(), 'pod-')), mkdtempSync(join(tmpdir(), 'unpacked-'))];
    mkdirSync(join(directory, 'lib'));
    const files = {
      'entrypoint.sh': '#!/bin/bash\necho "started with $0"\n',
      Caddyfile: 'x'.repeat(512),
      'lib/empty.sh': '',
      Dockerfile: 'FROM x',
      'README.md': 'x',
      '.hidden': 'x',
      'bootstrap-args.txt': 'bash -c x\n',
    };
    for (const [path, content] of Object.entries(files)) writeFileSync(join(directory, path), content);
  });
  afterEach(() => {
    for (const path of [directory, target]) rmSync(path, { recursive: true, force: true });
  });

  it('packs what the pod needs, as tar unpacks it', () => {
    const { packed, args } = loadPodScripts(directory);
    expect(args).toBe('bash -c x');
    execFileSync('tar', ['-xz', '-C', target], { input: Buffer.from(packed, 'base64') });
    expect(readdirSync(target, { recursive: true }).sort()).toEqual([
      'Caddyfile',
      'entrypoint.sh',
      'lib',
      'lib/empty.sh',
    ]);
    expect(readFileSync(join(target, 'Caddyfile'), 'utf8')).toBe('x'.repeat(512));
    expect(statSync(join(target, 'entrypoint.sh')).mode & 0o777).toBe(0o755);
    expect(statSync(join(target, 'Caddyfile')).mode & 0o777).toBe(0o644);
  });

  it('gives the same bytes for the same files', () => {
    const first = loadPodScripts(directory);
    utimesSync(join(directory, 'Caddyfile'), 1, 1);
    expect(loadPodScripts(directory)).toEqual(first);
  });

  it('refuses more than an environment value holds', () => {
    writeFileSync(join(directory, 'big.sh'), randomBytes(120_000));
    expect(() => loadPodScripts(directory)).toThrow(/an environment value holds/);
  });

  it('packs the real pod directory, and its args start the entrypoint of what they unpack', () => {
    expect(loadPodScripts().args).toContain('DEVLOOP_POD_SCRIPTS');
    const { packed } = loadPodScripts(directory);
    const { args } = loadPodScripts();
    const output = execFileSync('bash', ['-c', args], {
      env: { PATH: process.env.PATH, EMULATOR_DIR: target, DEVLOOP_POD_SCRIPTS: packed },
      encoding: 'utf8',
    });
    expect(output).toBe(`started with ${target}/devloop/entrypoint.sh\n`);
  });
});

describe('podEndpoint', () => {
  it('expands both templates', () => {
    expect(podEndpoint('https://{podId}-{port}.proxy.runpod.net', 'abc', 'ollama')).toBe(
      'https://abc-11434.proxy.runpod.net',
    );
    expect(podEndpoint('http://127.0.0.1:4000/proxy/{podId}/{port}/', 'abc', 'openai')).toBe(
      'http://127.0.0.1:4000/proxy/abc/8000',
    );
  });
});

describe('gateToken', () => {
  it('is the HMAC of the name, and fits a header', () => {
    const expected = createHmac('sha256', 's').update('n').digest('base64url');
    expect(gateToken('s', 'n')).toBe(expected);
    expect(gateToken('s', 'n')).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(gateToken('s', 'other')).not.toBe(expected);
    expect(gateToken('t', 'n')).not.toBe(expected);
  });

  it('is another one for each attempt of a session', () => {
    const names = [nameOf(), nameOf({ attempt: 2 }), nameOf({ session: 't' }), nameOf({ owner: 'o-00000000' })];
    expect(new Set(names.map((name) => gateToken('s', name))).size).toBe(names.length);
  });
});
