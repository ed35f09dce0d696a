import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentJobResultSchema, sessionRecordSchema, sessionStatusSchema } from '../../../src/contract/index.js';
import { CliPlace, documentOf, MODE_LINE, SESSION_MS, type Running } from '../../support/cli-place.js';
import { isAlive, processesIn, waitUntil } from '../../support/processes.js';

let place: CliPlace;

describe('commands beside dev', () => {
  let dev: Running;
  beforeAll(async () => {
    place = new CliPlace();
    dev = place.start(['dev', '--json']);
    await waitUntil(() => dev.stdout.endsWith('\n'), { what: 'dev is ready' });
  }, SESSION_MS);
  afterAll(() => place.end());

  it('dev tells where everything is, and the processes are what it says', () => {
    const { temporalAddress, webUiUrl, emulatorUrl, pids } = place.stack;
    const { temporal, worker, emulator } = pids;
    const expected = { temporalAddress, webUiUrl, emulatorUrl, pids: { temporal, worker, emulator } };
    expect(documentOf({ code: null, stdout: dev.stdout, stderr: '' })).toEqual(expected);
    expect([temporal, worker, emulator].map(isAlive)).toEqual([true, true, true]);
    expect(dev.stderr.split('\n')[0]).toBe(MODE_LINE);
  });

  it("gpus shows the emulator's catalog where there is no key, cheapest first", async () => {
    const { gpus } = documentOf<{ gpus: { id: string; secureUsdPerHour: number }[] }>(
      await place.run(['gpus', 'rtx', '--cloud', 'secure', '--json']),
    );
    const prices = gpus.map(({ secureUsdPerHour }) => secureUsdPerHour);
    expect(prices).toEqual([...prices].sort((a, b) => a - b));
    expect(gpus.map(({ id }) => id)).toContain('NVIDIA GeForce RTX 4090');
    expect((await place.run(['gpus', '4090'])).stdout).toMatch(/^GPU +MEMORY +SECURE.*\n.*RTX 4090 +24 GB +\$0\.6900/);
  });

  it('a command with a RunPod key does not join the stack that works with the emulator', async () => {
    const env = { RUNPOD_API_KEY: 'k' };
    const refused = await place.run(['start-session', 'real', '--max-price', '1', '--json'], env);
    expect(refused.code).toBe(2);
    expect(documentOf<{ error: { message: string } }>(refused).error.message).toMatch(
      /works with the RunPod emulator.*a real account at https:\/\/api\.runpod\.io\/v2.*--emulator/,
    );
  });

  it('says that nothing is there yet', async () => {
    expect(documentOf(await place.run(['status', '--json']))).toEqual({ sessions: [] });
    expect(documentOf(await place.run(['stop', '--all', '--json']))).toEqual({ sessions: [] });
    const unknown = await place.run(['status', 'nobody', '--json']);
    expect(unknown.code).toBe(1);
    expect(documentOf(unknown)).toMatchObject({ error: { code: 'SESSION_NOT_FOUND' } });
    expect((await place.run(['stop', 'nobody'])).code).toBe(1);
    expect((await place.run(['jobs', 'nothing'])).code).toBe(1);
    expect((await place.run(['cancel', 'nothing'])).code).toBe(1);
  });

  it(
    'runs two jobs of two commands at once on one session, then stops it',
    async () => {
      const options = ['--session', 'two', '--idle-timeout', '10m'];
      const [plain, json] = await Promise.all([
        place.run(['run', ...options, 'Say hello to the world in one short sentence.']),
        place.run(['run', ...options, '--json', 'Name three colors of the rainbow.']),
      ]);
      expect(plain.code, plain.stderr).toBe(0);
      expect(plain.stdout.trim()).not.toBe('');
      expect(plain.stderr.split('\n')[0]).toBe(MODE_LINE);
      expect(json.code, json.stderr).toBe(0);
      const answer = documentOf<{ jobId: string }>(json);
      expect(agentJobResultSchema.parse(answer).usage.outputTokens).toBeGreaterThan(0);

      const { sessions } = documentOf<{ sessions: unknown[] }>(await place.run(['status', '--json']));
      expect(sessions.map((status) => sessionStatusSchema.parse(status))).toMatchObject([
        { session: 'two', jobsServed: 2 },
      ]);
      expect((await place.run(['status'])).stdout).toMatch(/SESSION +PHASE.*\ntwo +ready /);

      const { jobs } = documentOf<{ jobs: unknown[] }>(await place.run(['jobs', '--json']));
      expect(jobs).toMatchObject([
        { session: 'two', state: 'done' },
        { session: 'two', state: 'done' },
      ]);
      const job = documentOf(await place.run(['jobs', answer.jobId, '--json']));
      expect(job).toMatchObject({
        jobId: answer.jobId,
        status: { phase: 'done', agent: 'chat' },
        result: { podId: expect.any(String) as string },
      });

      const stopped = documentOf<{ sessions: unknown[] }>(await place.run(['stop', 'two', '--json']));
      const record = sessionRecordSchema.parse(stopped.sessions[0]);
      expect(record).toMatchObject({ session: 'two', jobsServed: 2, unsettled: [] });
      const again = await place.run(['stop', 'two']);
      expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('had ended before') as string });
    },
    SESSION_MS,
  );

  it(
    'shows a refused job as failed with its code, exit code 1',
    async () => {
      const refused = await place.run(['run', '--session', 'odd', '--gpu', 'NVIDIA Abacus', '--json', 'hi']);
      expect(refused.code, refused.stderr).toBe(1);
      expect(documentOf(refused)).toMatchObject({ error: { code: 'GPU_UNKNOWN' } });
    },
    SESSION_MS,
  );

  it(
    'says at once that nobody works when the worker has ended, and dev reports its end',
    async () => {
      const own = new CliPlace();
      try {
        const running = own.start(['dev', '--json']);
        await waitUntil(() => running.stdout.endsWith('\n'), { what: 'dev is ready' });
        process.kill(own.stack.pids.worker, 'SIGKILL');
        await running.says('worker of the stack has ended (signal SIGKILL)');
        const refused = await own.run(['run', 'hi', '--json']);
        expect(refused.code, refused.stderr).toBe(3);
        expect(documentOf(refused)).toMatchObject({ error: { code: 'NO_WORKER' } });
      } finally {
        await own.end();
      }
    },
    SESSION_MS,
  );

  it(
    'cancels a job, and ends what runs when dev ends',
    async () => {
      const { jobId } = documentOf<{ jobId: string }>(
        await place.run(['run', '--session', 'late', '-d', '--json', 'Tell a very long story.']),
      );
      const cancelled = await place.run(['cancel', jobId, '--json']);
      expect(cancelled.code, cancelled.stderr).toBe(0);
      expect(documentOf(cancelled)).toMatchObject({ jobId, status: { phase: 'cancelled' } });

      const detached = await place.run(['start-session', 'last', '-d', '--json']);
      expect(detached.code, detached.stderr).toBe(0);
      expect(documentOf(detached)).toEqual({ session: 'last', workflowId: 'pod-session/last' });
      await waitUntil(async () => (await place.run(['status', '--json'])).stdout.includes('"session":"last"'), {
        what: 'the detached session is listed',
      });
      const { ledgerFile } = place.stack;
      dev.child.kill('SIGINT');
      const ended = await dev.ended;
      expect(ended.code).toBe(130);
      expect(ended.stderr).toMatch(/session "last" has ended/);
      const { pods } = JSON.parse(readFileSync(ledgerFile, 'utf8')) as { pods: { terminatedAt: string | null }[] };
      expect(pods.filter((pod) => pod.terminatedAt === null)).toEqual([]);
      expect(processesIn(place.folder)).toEqual([]);
    },
    SESSION_MS,
  );
});
