import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  agentJobResultSchema,
  SESSION_SIGNALS,
  sessionRecordSchema,
  sessionStatusSchema,
} from '../../src/contract/index.js';
import { CliPlace, documentOf, type Running } from '../support/cli-place.js';
import { isAlive, processesIn, waitUntil } from '../support/processes.js';

const MODE_LINE = 'Temporal: embedded · RunPod: emulator (no account, no charge)';
/** A start with everything in the cache, a boot and a model's answer on two busy cores. */
const SESSION_MS = 240_000;

let place: CliPlace;

describe('the command line, nothing running', () => {
  beforeAll(() => {
    place = new CliPlace();
  });
  afterAll(() => place.end());

  it.each([
    'start-session',
    'start',
    'run',
    'status',
    'jobs',
    'stop',
    'cancel',
    'dev',
    'worker',
    'doctor',
    'exec',
    'logs',
    'proxy',
    'gpus',
    'cost',
    'pods',
    'reap',
  ])('%s --help has examples', async (command) => {
    const { code, stdout } = await place.run([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples?:\n {2}.*devloop /);
  });

  const badInput: [string[], RegExp][] = [
    [[], /Usage: devloop/],
    [['rent'], /unknown command 'rent'/],
    [['status', '--wrong'], /unknown option '--wrong'/],
    [['start-session', 'Foo!'], /session name "Foo!": must be 1 to 40 characters/],
    [['start-session', 'a', 'b'], /too many arguments/],
    [['start-session', '--idle-timeout', '8'], /--idle-timeout.*8s, 8m or 8h/],
    [['start-session', '--idle-timeout', '-5s'], /--idle-timeout.*such as 90s/],
    [['start-session', '--idle-timeout', '999999h'], /--idle-timeout: /],
    [['start-session', '--max-price', '0'], /--max-price.*positive amount/],
    [['start-session', '--api', 'grpc'], /--api: /],
    [['run'], /missing required argument 'prompt'/],
    [['run', ''], /must not be empty/],
    [['start-session', '--prompt', ' '], /--prompt.*must not be empty/],
    [['run', '--session', '../x', 'hi'], /session name ".*": must be/],
    [['gpus', '--cloud', 'blue'], /--cloud.*secure, community/],
    [['stop'], /give the name of one session, or --all/],
    [['stop', 'a', '--all'], /give the name of one session, or --all/],
    [['stop', 'A B'], /session name ".*": must be/],
    [['status', 'A B'], /session name ".*": must be/],
    [['jobs', '../x'], /job id "\.\.\/x": must be/],
    [['cancel', '../x'], /job id "\.\.\/x": must be/],
  ];
  it.each(badInput)('%j is exit code 2 and one clear message', async (args, message) => {
    const { code, stdout, stderr } = await place.run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
    expect(existsSync(place.dataDir)).toBe(false);
  });

  const NO_RUNPOD = { RUNPOD_API_KEY: 'k', RUNPOD_API_URL: 'http://127.0.0.1:1/v2' };
  const surroundings: [string[], NodeJS.ProcessEnv, number, string, RegExp][] = [
    [['start-session'], { RUNPOD_API_KEY: 'k' }, 2, 'CONFIG_INVALID', /--max-price 0.80; or use --emulator/],
    [['dev'], { RUNPOD_API_KEY: 'k' }, 2, 'CONFIG_INVALID', /--max-price 0.80; or use --emulator/],
    [['start-session', '--max-price', '1'], NO_RUNPOD, 3, 'RUNPOD_UNREACHABLE', /Check RUNPOD_API_URL/],
    [['gpus'], {}, 2, 'CONFIG_INVALID', /RUNPOD_API_KEY is not set/],
    [['gpus'], NO_RUNPOD, 3, 'RUNPOD_UNREACHABLE', /Check RUNPOD_API_URL/],
    [['start-session', '--emulator'], { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 2, 'CONFIG_INVALID', /Leave out --emulator/],
    [['dev'], { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 2, 'CONFIG_INVALID', /Unset it/],
    [['start-session'], { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 3, 'TEMPORAL_UNREACHABLE', /127\.0\.0\.1:1/],
    [['run', 'hi'], { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 3, 'TEMPORAL_UNREACHABLE', /127\.0\.0\.1:1/],
    [['status'], {}, 3, 'TEMPORAL_UNREACHABLE', /devloop start-session, or devloop dev/],
    [['run', 'hi'], {}, 3, 'TEMPORAL_UNREACHABLE', /devloop start-session, or devloop dev/],
    [['worker'], {}, 2, 'CONFIG_INVALID', /TEMPORAL_ADDRESS, RUNPOD_API_KEY, DEVLOOP_GATE_SECRET/],
    [['status'], { TEMPORAL_PROFILE: 'nope' }, 2, 'CONFIG_INVALID', /TEMPORAL_PROFILE/],
    [['status'], { RUNPOD_API_URL: 'https://rest.runpod.io/v1' }, 2, 'CONFIG_INVALID', /RUNPOD_API_URL/],
  ];
  it.each(surroundings)('%j with %j is exit code %i, %s', async (args, env, code, name, message) => {
    const ended = await place.run([...args, '--json'], env);
    expect(ended.code).toBe(code);
    const { error } = documentOf<{ error: { code: string; message: string } }>(ended);
    expect(error.code).toBe(name);
    expect(error.message).toMatch(message);
    expect(ended.stderr).toMatch(message);
  });

  it('doctor says what is there, and 4 when something is missing', async () => {
    const fine = await place.run(['doctor', '--json']);
    const { checks, problems } = documentOf<{ checks: { name: string; state: string }[]; problems: number }>(fine);
    expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(['node', 'temporal', 'caddy']));
    expect(fine.code).toBe(problems === 0 ? 0 : 4);
    const broken = await place.run(['doctor', '--json'], { DEVLOOP_CADDY: join(place.folder, 'no-caddy') });
    expect(broken.code).toBe(4);
    const unreachable = await place.run(['doctor'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(unreachable).toMatchObject({ code: 4, stdout: expect.stringContaining('127.0.0.1:1') as string });
  });
});

describe('start-session', () => {
  beforeEach(() => {
    place = new CliPlace();
  });
  afterEach(() => place.end());

  interface Report {
    session: string;
    pod: { id: string; name: string; gpu: string; costPerHourUsd: number };
    answer: string;
    usage: { inputTokens: number; outputTokens: number };
    phases: { phase: string; seconds: number }[];
    billedSeconds: number;
    costUsd: number;
    stopReason: string;
    ledgerFile: string;
    error?: { code: string };
  }

  it(
    'rents, answers, waits idle, ends and shows the bill of the ledger; nothing is left',
    async () => {
      const ended = await place.run(['start-session', 'hello', '--idle-timeout', '5s', '--json']);
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr.split('\n')[0]).toBe(MODE_LINE);
      const report = documentOf<Report>(ended);
      expect(report.answer).not.toBe('');
      expect(report.usage.outputTokens).toBeGreaterThan(0);
      expect(report.stopReason).toMatch(/idle for 5 s/);
      const steps = ['binaries', 'temporal', 'emulator', 'worker', 'creating', 'booting', 'ready', 'stopping'];
      expect(report.phases.map(({ phase }) => phase)).toEqual(expect.arrayContaining(steps));
      const ledger = JSON.parse(readFileSync(report.ledgerFile, 'utf8')) as {
        pods: { id: string; createdAt: string; terminatedAt: string; billedSeconds: number; costUsd: number }[];
      };
      const [pod, ...others] = ledger.pods;
      expect(others).toEqual([]);
      expect(pod).toMatchObject({ id: report.pod.id, billedSeconds: report.billedSeconds, costUsd: report.costUsd });
      const lived = (Date.parse(pod!.terminatedAt) - Date.parse(pod!.createdAt)) / 1000;
      expect(Math.abs(report.billedSeconds - lived)).toBeLessThanOrEqual(1);
      expect(processesIn(place.folder)).toEqual([]);
    },
    SESSION_MS,
  );

  it(
    'writes plain lines where nobody watches, the modes first',
    async () => {
      const { code, stdout, stderr } = await place.run(['start-session', '--no-prompt', '--idle-timeout', '5s']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.split('\n')[0]).toBe(MODE_LINE);
      expect(stdout).not.toMatch(/\u001b|\r/);
      expect(stdout).toMatch(/✔ booting pod .* \d+\.\d s\n/);
      expect(stdout).toMatch(/● ended \(idle for 5 s.*is gone; billed .* by the emulator's ledger; ledger: .*\n$/);
    },
    SESSION_MS,
  );

  it(
    'ends properly at Ctrl-C when nobody else uses it',
    async () => {
      const running = place.start(['start-session', '--no-prompt', '--idle-timeout', '10m', '--json']);
      await running.says('● ready');
      const { worker } = place.stack.pids;
      running.child.kill('SIGINT');
      const ended = await running.ended;
      expect(ended.code, ended.stderr).toBe(130);
      expect(documentOf<Report>(ended)).toMatchObject({
        stopReason: expect.stringContaining('interrupted') as string,
        error: { code: 'INTERRUPTED' },
      });
      expect(isAlive(worker)).toBe(false);
      expect(processesIn(place.folder)).toEqual([]);
    },
    SESSION_MS,
  );

  it(
    'detaches at Ctrl-C when somebody else uses it, and says so',
    async () => {
      const running = place.start(['start-session', 'shared', '--no-prompt', '--idle-timeout', '10m']);
      await running.says('● ready');
      const { temporalAddress: address, namespace } = place.stack;
      const connection = await Connection.connect({ address });
      const handle = new Client({ connection, namespace }).workflow.getHandle('pod-session/shared');
      await handle.signal(SESSION_SIGNALS.acquireLease, { leaseId: 'somebody', holder: { kind: 'external' } });
      await connection.close();
      running.child.kill('SIGINT');
      const ended = await running.ended;
      expect(ended).toMatchObject({
        code: 130,
        stdout: expect.stringContaining('detached: somebody else uses it') as string,
      });
      const status = sessionStatusSchema.parse(documentOf(await place.run(['status', 'shared', '--json'])));
      expect(status).toMatchObject({ phase: 'ready', leases: [{ leaseId: 'somebody' }] });
    },
    SESSION_MS,
  );

  it('leaves no process when it is interrupted while the stack comes up', async () => {
    const running = place.start(['start-session', '--no-prompt']);
    await running.says('… Temporal');
    running.child.kill('SIGTERM');
    const ended = await running.ended;
    expect(ended).toMatchObject({ code: 130, stderr: 'The stack that was being started ends by itself.\n' });
    await place.nothingRuns();
  });

  it(
    'leaves at once at the second Ctrl-C and says what remains',
    async () => {
      const running = place.start(['start-session', '--no-prompt', '--idle-timeout', '10m']);
      await running.says('● ready');
      running.child.kill('SIGINT');
      await running.says('● stopping session');
      running.child.kill('SIGINT');
      const ended = await running.ended;
      expect(ended.code).toBe(130);
      expect(ended.stderr).toMatch(/Leaving at once\. Session "default" goes on until its own timers end it/);
    },
    SESSION_MS,
  );
});

describe('commands beside dev', () => {
  let dev: Running;
  beforeAll(async () => {
    place = new CliPlace();
    dev = place.start(['dev', '--json']);
    await waitUntil(() => dev.stdout.endsWith('\n'), { timeoutMs: 120_000, what: 'dev is ready' });
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
        await waitUntil(() => running.stdout.endsWith('\n'), { timeoutMs: 120_000, what: 'dev is ready' });
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
        timeoutMs: 30_000,
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
