import * as os from 'node:os';
import { isAbsolute } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadConfig, ownerName } from '../../src/config.js';
import { DEFAULT_MODEL, DevloopError } from '../../src/contract/index.js';

vi.mock('node:os', async (importOriginal) => {
  const original = await importOriginal<typeof os>();
  return { ...original, userInfo: vi.fn(original.userInfo) };
});

afterEach(() => {
  vi.mocked(os.userInfo).mockReset();
});

const problemOf = (env: Record<string, string>): string => {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof DevloopError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  throw new Error('accepted');
};

describe('the configuration', () => {
  it('needs nothing', () => {
    expect(loadConfig({ DEVLOOP_OWNER: 'anna' })).toEqual({
      runpod: {
        apiKey: undefined,
        apiUrl: 'https://api.runpod.io/v2',
        proxyUrl: 'https://{podId}-{port}.proxy.runpod.net',
      },
      owner: 'anna',
      dataDir: expect.stringMatching(/\.devloop$/) as string,
      cacheDir: expect.stringMatching(/devloop$/) as string,
      gateSecret: undefined,
      gateSecretPrevious: undefined,
      control: { token: undefined, host: '127.0.0.1', port: 8787 },
      caps: {
        maxPriceUsdPerHour: undefined,
        maxCostUsd: undefined,
        maxLifetimeSeconds: undefined,
        accountPods: undefined,
        accountUsdPerHour: undefined,
      },
      defaults: { api: 'ollama', model: DEFAULT_MODEL, modelFile: undefined },
      runnerQueues: [],
      agents: { module: undefined, fetchHosts: [] },
      logLevel: 'info',
      noDownload: false,
    });
  });

  it('takes an empty variable for one that is not set', () => {
    const blank = { RUNPOD_API_URL: '', DEVLOOP_OWNER: ' ', DEVLOOP_LOG_LEVEL: '', DEVLOOP_GATE_SECRET: '' };
    expect(loadConfig(blank)).toEqual(loadConfig({}));
  });

  it('has absolute folders', () => {
    const { dataDir, cacheDir } = loadConfig({ DEVLOOP_DATA_DIR: 'data', DEVLOOP_CACHE_DIR: '../cache' });
    expect([isAbsolute(dataDir), isAbsolute(cacheDir)]).toEqual([true, true]);
  });

  it.each([
    ['1', true],
    ['true', true],
    ['0', false],
    ['false', false],
  ])('DEVLOOP_NO_DOWNLOAD=%s is %s', (value, expected) => {
    expect(loadConfig({ DEVLOOP_NO_DOWNLOAD: value }).noDownload).toBe(expected);
  });

  it('ignores what is not ours', () => {
    expect(loadConfig({ PATH: '/bin', DEVLOOP_UNHEARD_OF: 'x' })).toEqual(loadConfig({}));
  });
});

describe('lists', () => {
  it('are separated by commas', () => {
    const env = {
      DEVLOOP_RUNNER_QUEUES: ' reviews, nightly-evals,',
      DEVLOOP_FETCH_HOSTS: 'Example.org, 10.0.0.7:8080',
    };
    const { runnerQueues, agents } = loadConfig(env);
    expect({ runnerQueues, hosts: agents.fetchHosts }).toEqual({
      runnerQueues: ['reviews', 'nightly-evals'],
      hosts: ['example.org', '10.0.0.7:8080'],
    });
  });

  it.each(['devloop', 'reviews,devloop-poll', 'Devloop-agents'])('of runners have no queue of ours: %s', (queues) => {
    expect(problemOf({ DEVLOOP_RUNNER_QUEUES: queues })).toMatch(/DEVLOOP_RUNNER_QUEUES.*not begin with devloop/);
  });

  it.each(['https://example.org', 'example.org/path', '*', 'user@example.org', 'example.org:443', 'a b'])(
    'of hosts have nothing else: %s',
    (host) => {
      expect(problemOf({ DEVLOOP_FETCH_HOSTS: host })).toMatch(/DEVLOOP_FETCH_HOSTS.*must be hosts/);
    },
  );
});

describe("the operator's caps", () => {
  it('are read as numbers; an account may be closed for new pods', () => {
    const caps = {
      DEVLOOP_MAX_PRICE_USD_PER_HOUR: '0.75',
      DEVLOOP_MAX_COST_USD: ' 3 ',
      DEVLOOP_MAX_LIFETIME: '7200',
      DEVLOOP_MAX_PODS: '0',
      DEVLOOP_MAX_USD_PER_HOUR: '2.5',
    };
    expect(loadConfig(caps).caps).toEqual({
      maxPriceUsdPerHour: 0.75,
      maxCostUsd: 3,
      maxLifetimeSeconds: 7200,
      accountPods: 0,
      accountUsdPerHour: 2.5,
    });
  });

  it.each([
    ['DEVLOOP_MAX_PRICE_USD_PER_HOUR', '0'],
    ['DEVLOOP_MAX_COST_USD', '-1'],
    ['DEVLOOP_MAX_LIFETIME', '8h'],
    ['DEVLOOP_MAX_PODS', '1.5'],
    ['DEVLOOP_MAX_USD_PER_HOUR', 'cheap'],
  ])('%s=%s is refused: a cap that is misread would be none', (name, value) => {
    expect(problemOf({ [name]: value })).toContain(`${name}: `);
  });
});

describe('a wrong value', () => {
  it.each([
    ['RUNPOD_API_URL', 'verysecret'],
    ['RUNPOD_API_URL', 'ftp://verysecret.test/v2'],
    ['RUNPOD_PROXY_URL', 'https://verysecret.proxy.runpod.net'],
    ['RUNPOD_PROXY_URL', 'https://{podId}.verysecret.net'],
    ['DEVLOOP_GATE_SECRET', 'verysecret'],
    ['DEVLOOP_GATE_SECRET_PREVIOUS', 'verysecret'],
    ['DEVLOOP_CONTROL_TOKEN', 'verysecret'],
    ['DEVLOOP_CONTROL_PORT', 'verysecret'],
    ['DEVLOOP_CONTROL_PORT', '65536'],
    ['DEVLOOP_DEFAULT_API', 'verysecret'],
    ['DEVLOOP_LOG_LEVEL', 'verysecret'],
    ['DEVLOOP_NO_DOWNLOAD', 'verysecret'],
  ])('of %s is named and not shown', (name, value) => {
    const message = problemOf({ [name]: value });
    expect(message).toContain(`${name}: `);
    expect(message).not.toContain('verysecret');
    expect(message).toContain('.env');
  });

  it('is named beside all others', () => {
    const message = problemOf({ RUNPOD_API_URL: 'x', DEVLOOP_GATE_SECRET: 'short', DEVLOOP_LOG_LEVEL: 'loud' });
    for (const name of ['RUNPOD_API_URL', 'DEVLOOP_GATE_SECRET', 'DEVLOOP_LOG_LEVEL']) expect(message).toContain(name);
  });

  it.each(['https://api.runpod.io/v1', 'https://api.runpod.io/v1/', ' https://rest.runpod.io/v1 '])(
    'is the retired API: %s',
    (url) => {
      expect(problemOf({ RUNPOD_API_URL: url })).toMatch(/RUNPOD_API_URL: .*v2/);
    },
  );

  it.each(['https://api.runpod.io/v2', 'http://127.0.0.1:4000/v2', 'https://v1.example.com/v2'])('is not %s', (url) => {
    expect(loadConfig({ RUNPOD_API_URL: url }).runpod.apiUrl).toBe(url);
  });
});

describe('the owner', () => {
  it.each([
    ['anna', 'anna'],
    ['Anna.Smith@Example', 'anna-smith-example'],
    ['ÄÖ', '--'],
    ['a.b.c', 'a-b-c'],
    ['x'.repeat(50), 'x'.repeat(23)],
  ])('%s is %s on pods', (raw, owner) => {
    expect(ownerName(raw)).toBe(owner);
    expect(loadConfig({ DEVLOOP_OWNER: raw }).owner).toBe(owner);
  });

  it('is the name of the user by default', () => {
    vi.mocked(os.userInfo).mockReturnValue({ username: 'Eva' } as os.UserInfo<string>);
    expect(loadConfig({}).owner).toBe('eva');
  });

  it('is somebody even where the user has no name, as in some containers', () => {
    vi.mocked(os.userInfo).mockImplementation(() => {
      throw Object.assign(new Error('uv_os_get_passwd returned ENOENT'), { code: 'ERR_SYSTEM_ERROR' });
    });
    expect(loadConfig({}).owner).toMatch(/^[a-z0-9-]{1,23}$/);
  });
});
