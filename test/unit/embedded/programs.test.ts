import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { binDir, offer, provideModelServer } from '../../../src/embedded/bin-dir.js';
import { cleanEnvironment, emulatorEnvironment, workerEnvironment } from '../../../src/embedded/child-environment.js';
import { lastLines, spawnChild, type ChildSpec } from '../../../src/embedded/child.js';
import { doctorReport } from '../../../src/embedded/doctor.js';
import { freePorts } from '../../../src/embedded/free-ports.js';
import { startChild, withFreshPorts } from '../../../src/embedded/start-child.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'devloop-programs-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const shell = (script: string): ChildSpec<'emulator'> => ({
  name: 'emulator',
  command: '/bin/sh',
  args: ['-c', script],
  env: {},
  cwd: root,
  logFile: join(root, 'emulator.log'),
});

describe('environment of the children', () => {
  const env = {
    PATH: '/usr/bin',
    DEVLOOP_OWNER: 'me',
    RUNPOD_API_KEY: 'a-real-key',
    TEMPORAL_API_KEY: 'another-real-key',
    DEVLOOP_GATE_SECRET: 'a-real-gate-secret',
  };

  it('has no key of a real account', () => {
    expect(cleanEnvironment(env)).toEqual({ PATH: '/usr/bin', DEVLOOP_OWNER: 'me' });
    expect(JSON.stringify(emulatorEnvironment(env, '/data'))).not.toContain('real');
  });

  it("puts the stack's own programs first on the emulator's PATH", () => {
    expect(emulatorEnvironment(env, '/data').PATH).toBe('/data/bin:/usr/bin');
  });

  it("points the worker at the stack's parts", () => {
    const worker = workerEnvironment(env, {
      dataDir: '/data',
      cacheDir: '/cache',
      temporalAddress: '127.0.0.1:7',
      runpod: { kind: 'emulator', url: 'http://127.0.0.1:8', api: 'openai', modelFile: '/model.gguf' },
      gateSecret: 'made-by-the-stack',
      gateSecretPrevious: undefined,
    });
    expect(worker).toMatchObject({
      TEMPORAL_ADDRESS: '127.0.0.1:7',
      RUNPOD_API_KEY: 'emulator',
      RUNPOD_API_URL: 'http://127.0.0.1:8/v2',
      RUNPOD_PROXY_URL: 'http://127.0.0.1:8/proxy/{podId}/{port}',
      DEVLOOP_GATE_SECRET: 'made-by-the-stack',
      DEVLOOP_DEFAULT_API: 'openai',
    });
    expect(JSON.stringify(worker)).not.toContain('real');
  });

  it("gives a real account's key to the worker, with nobody's defaults but the user's own", () => {
    const account = { apiKey: 'k', apiUrl: 'https://api.runpod.io/v2', proxyUrl: 'https://{podId}-{port}.test' };
    const settings = {
      dataDir: '/data',
      cacheDir: '/cache',
      temporalAddress: '127.0.0.1:7',
      runpod: { kind: 'account', account },
      gateSecret: 'made-by-the-stack',
      gateSecretPrevious: undefined,
    } as const;
    expect(workerEnvironment(env, settings)).toMatchObject({
      RUNPOD_API_KEY: 'k',
      RUNPOD_API_URL: 'https://api.runpod.io/v2',
      RUNPOD_PROXY_URL: 'https://{podId}-{port}.test',
    });
    expect(Object.keys(workerEnvironment(env, settings)).filter((name) => /DEFAULT|MODEL/.test(name))).toEqual([]);
    const own = workerEnvironment({ ...env, DEVLOOP_DEFAULT_MODEL: 'mine', DEVLOOP_MAX_PODS: '1' }, settings);
    expect(own).toMatchObject({ DEVLOOP_DEFAULT_MODEL: 'mine', DEVLOOP_MAX_PODS: '1' });
  });
});

describe('a child', () => {
  it('writes its output to its log and keeps that of the run before', async () => {
    await (
      await spawnChild(shell('echo one'))
    ).exited;
    const child = await spawnChild(shell('echo two; echo three >&2; exit 3'));
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(lastLines(child.logFile)).toEqual(['two', 'three']);
    expect(lastLines(`${child.logFile}.1`)).toEqual(['one']);
  });

  it('that cannot be executed is named with the cause', async () => {
    const spec = { ...shell(''), command: join(root, 'absent') };
    await expect(spawnChild(spec)).rejects.toThrow(/^emulator could not be started: .*ENOENT/);
  });

  it('that ends before it is ready is reported with its last lines and the way out', async () => {
    const start = startChild({
      spec: shell('echo first; echo the cause; exit 2'),
      probe: () => Promise.resolve(undefined),
      timeoutMs: 60_000,
      signal: new AbortController().signal,
      wayOut: 'Do something.',
      onSpawn: () => undefined,
    });
    await expect(start).rejects.toMatchObject({
      code: 'STACK_FAILED',
      message: expect.stringMatching(
        /^emulator ended with code 2\. The end of .*emulator\.log:\n {2}first\n {2}the cause\nDo something\.$/,
      ) as string,
    });
  });

  it('that never becomes ready is reported when its time is over', async () => {
    let pid = 0;
    const start = startChild({
      spec: shell('echo still loading; exec sleep 30'),
      probe: () => Promise.resolve(undefined),
      timeoutMs: 200,
      signal: new AbortController().signal,
      wayOut: '',
      onSpawn: ({ identity }) => (pid = identity.pid),
    });
    await expect(start).rejects.toThrow(/was not ready within 0\.2 s/);
    process.kill(pid, 'SIGKILL');
  });
});

describe('ports', () => {
  it('are free and different', async () => {
    const ports = await freePorts(3);
    expect(new Set(ports).size).toBe(3);
  });

  it('are chosen again when the program found them taken, and only then', async () => {
    const log = join(root, 'log');
    const failing = (line: string) => {
      let starts = 0;
      const start = (): Promise<number> => {
        writeFileSync(log, line);
        starts++;
        return starts < 3 ? Promise.reject(new Error('failed')) : Promise.resolve(starts);
      };
      return withFreshPorts(log, start);
    };
    expect(await failing('listen tcp 127.0.0.1:80: bind: address already in use\n')).toBe(3);
    await expect(failing('no such table\n')).rejects.toThrow('failed');
  });
});

describe("the pods' programs", () => {
  const options = () => ({ cacheDir: join(root, 'cache'), noDownload: true, env: { PATH: root } });

  it('are links to what was found', async () => {
    await offer({ name: 'caddy', path: '/somewhere/caddy', source: 'path' }, root, {});
    await offer({ name: 'caddy', path: '/elsewhere/caddy', source: 'path' }, root, {});
    expect(readlinkSync(join(binDir(root), 'caddy'))).toBe('/elsewhere/caddy');
  });

  it('make a program of the Python extension, whatever the path holds', async () => {
    const extension = {
      name: 'llama-server',
      path: "/it's/entry/xllamacpp/xllamacpp.abi3.so",
      source: 'cache',
    } as const;
    await offer(extension, root, process.env);
    const script = readFileSync(join(binDir(root), 'llama-server'), 'utf8');
    expect(script).toContain(String.raw`PYTHONPATH='/it'\''s/entry' exec `);
    expect(script).toMatch(/src\/embedded\/llama-server\.py' "\$@"\n$/);
  });

  it('say what to do without Ollama', async () => {
    await expect(provideModelServer('ollama', root, options())).rejects.toThrow(
      /needs Ollama, which was not found .* DEVLOOP_OLLAMA/,
    );
  });
});

describe('doctor', () => {
  const report = (change: Partial<Parameters<typeof doctorReport>[0]> = {}) =>
    doctorReport({
      dataDir: join(root, 'data'),
      cacheDir: join(root, 'cache'),
      noDownload: false,
      env: { PATH: root },
      runpodKeySet: false,
      ...change,
    }).then((checks) => new Map(checks.map((check) => [check.name, check])));

  it('names what is missing and what to do, and changes nothing', async () => {
    const checks = await report();
    expect(checks.get('node')).toMatchObject({ state: 'ok', version: process.versions.node });
    expect(checks.get('python3 with pip')?.state).toBe('missing');
    expect(checks.get('caddy')).toMatchObject({
      state: 'missing',
      hint: expect.stringContaining('DEVLOOP_CADDY') as string,
    });
    expect(checks.get('ollama')?.state).toBe('absent-optional');
    expect(checks.get('data folder')?.state).toBe('ok');
    expect(checks.get('embedded stack')?.state).toBe('absent-optional');
    expect([...checks.values()].filter(({ state, hint }) => state !== 'ok' && !hint)).toEqual([]);
    expect(() => readFileSync(join(root, 'data'))).toThrow(/ENOENT/);
  });

  it('counts on the first start for what can be fetched, unless that is forbidden', async () => {
    expect((await report({ env: process.env })).get('model')).toMatchObject({
      hint: expect.stringContaining('93 MB') as string,
    });
    expect((await report({ env: process.env, noDownload: true })).get('model')?.state).toBe('missing');
  });

  it('reports what the user set wrongly', async () => {
    writeFileSync(join(root, 'file'), '');
    const checks = await report({
      env: { PATH: root, DEVLOOP_CADDY: '/absent' },
      dataDir: join(root, 'file', 'data'),
      temporal: { address: 'example:7233', problem: 'nobody answers' },
      runpodKeySet: true,
    });
    expect(checks.get('caddy')).toMatchObject({
      state: 'problem',
      hint: expect.stringContaining('DEVLOOP_CADDY=/absent') as string,
    });
    expect(checks.get('data folder')).toMatchObject({
      state: 'problem',
      hint: expect.stringContaining('DEVLOOP_DATA_DIR') as string,
    });
    expect(checks.get('Temporal server')).toMatchObject({ state: 'problem', hint: 'nobody answers' });
    expect(checks.get('RunPod key')?.state).toBe('ok');
  });

  it('does not miss the other model server where Ollama is', async () => {
    mkdirSync(join(root, 'ollama-bin'));
    const env = { PATH: root, DEVLOOP_OLLAMA: '/bin/true' };
    expect((await report({ env })).get('llama-server')?.state).toBe('absent-optional');
    expect((await report()).get('llama-server')?.state).toBe('missing');
  });
});
