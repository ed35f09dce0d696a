import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { ControlledStack } from '../support/control-server.js';
import { REPOSITORY } from '../support/markdown.js';
import { runPython } from '../support/python-packages.js';

const LIMIT_MS = 300_000;
const PACKAGES = { name: 'streamlit', requirements: join(REPOSITORY, 'docs/requirements.txt'), complete: false };

interface Shown {
  readonly exceptions: string[];
  readonly errors: string[];
  readonly warnings: string[];
  readonly headers: string[];
  readonly metrics: Record<string, string>;
  readonly tables: Record<string, unknown>[][];
  readonly charts: number;
}

let all: ControlledStack;

beforeAll(async () => {
  all = await ControlledStack.start();
});

afterAll(() => all.end());

async function page(env: NodeJS.ProcessEnv): Promise<Shown> {
  const script = join(REPOSITORY, 'test/support/streamlit-page.py');
  const { code, stdout, stderr } = await runPython(PACKAGES, [script, join(REPOSITORY, 'docs/streamlit_app.py')], {
    cacheDir: loadConfig().cacheDir,
    cwd: REPOSITORY,
    timeoutMs: 120_000,
    env,
  });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Shown;
}

describe('the Streamlit page', () => {
  const access = () => ({ DEVLOOP_CONTROL_URL: all.control.url, DEVLOOP_CONTROL_TOKEN: all.control.token });

  it(
    'shows sessions, jobs and costs of a real control server',
    async () => {
      const { client } = all.live;
      await client.startSession({ session: 'shown', project: 'lab', idleTimeoutSeconds: 600 });
      const job = { session: 'shown', project: 'a:b {x}', input: 'Say hello.' };
      await (await client.submitJob(job, { jobId: 'shown-1' })).handle.result();
      const shown = await page(access());
      expect([shown.exceptions, shown.errors, shown.warnings]).toEqual([[], [], []]);
      expect(shown.headers).toEqual(['Sessions now', expect.stringMatching(/^Costs since 20/), 'The last 10 jobs']);
      expect(shown.metrics).toMatchObject({ 'An hour, now': '$0.6900' });
      expect(Number(shown.metrics.Total?.slice(1))).toBeGreaterThan(0);
      expect(shown.tables).toMatchObject([
        [{ session: 'shown', phase: 'ready', why: expect.stringMatching(/^(Nobody uses it|In use)/) as string }],
        [{ jobId: 'shown-1', project: 'a:b {x}', state: 'done' }],
      ]);
      expect(shown.charts).toBe(2);
    },
    LIMIT_MS,
  );

  it.each([
    ['a wrong token', () => ({ ...access(), DEVLOOP_CONTROL_TOKEN: 'wrong' }), /set DEVLOOP_CONTROL_TOKEN/],
    ['no server', () => ({ ...access(), DEVLOOP_CONTROL_URL: 'http://127.0.0.1:1' }), /Start one with devloop control/],
  ])(
    'says what to do about %s',
    async (_what, env, message) => {
      const shown = await page(env());
      expect(shown).toMatchObject({ exceptions: [], headers: [], tables: [] });
      expect(shown.errors).toEqual([expect.stringMatching(message)]);
    },
    LIMIT_MS,
  );
});
