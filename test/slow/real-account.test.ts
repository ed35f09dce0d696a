import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { jobWorkflowId, sessionWorkflowId } from '../../src/contract/index.js';
import { connectLocally, readStack } from '../../src/embedded/index.js';
import { isMissing } from '../support/binaries.js';
import { ACCOUNT_MODEL, startAccount } from '../support/account.js';
import type { RunningEmulator } from '../support/emulator.js';
import { CLI_MAIN, documentOf, CliPlace } from '../support/cli-place.js';
import { contentOf, waitUntil } from '../support/processes.js';

/** Stands for somebody's real key: it must be nowhere but in the worker's environment. */
const KEY = 'rpa_SOMEBODYSREALKEY0123456789';
let runpod: RunningEmulator;
let place: CliPlace;
let account: NodeJS.ProcessEnv;

beforeAll(async () => {
  ({ runpod, env: account } = await startAccount(KEY));
});

afterAll(() => runpod.stop());

beforeEach(() => {
  place = new CliPlace();
});

afterEach(() => place.end());

const living = async () => (await runpod.ledger()).filter(({ terminatedAt }) => terminatedAt === null);
const podsOf = async (session: string) => (await runpod.ledger()).filter(({ name }) => name.split('.')[2] === session);

/** Files below a folder, whatever is in them, that hold the key. While a stack runs some come and go. */
function filesWithKey(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => contentOf(file).includes(KEY));
}

/** What a workflow was started with. */
async function inputOf(workflowId: string): Promise<unknown> {
  const { temporalAddress, namespace } = readStack(place.dataDir)!;
  const connection = await connectLocally(temporalAddress, 60_000);
  const client = new Client({ connection, namespace });
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  await connection.close();
  const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data ?? [];
  return JSON.parse(Buffer.from(payload).toString());
}

/** Processes of this machine that have the key in their command line; RunPod itself is not ours. */
function commandLinesWithKey(): number[] {
  const table = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return table
    .filter((line) => line.includes(KEY))
    .map((line) => Number.parseInt(line, 10))
    .filter((pid) => pid !== runpod.pid);
}

describe('start-session with a RunPod key', () => {
  it('shows price and worst case, rents, answers, and ends with the pod gone; the key is nowhere', async () => {
    const args = [
      'start-session',
      'real',
      '--yes',
      '--max-price',
      '0.70',
      '--max-lifetime',
      '1h',
      '--idle-timeout',
      '30s',
    ];
    const running = place.start(args, account);
    await running.says('● ready');
    const stack = readStack(place.dataDir);
    expect(stack).toMatchObject({ runpod: 'account', apiUrl: account.RUNPOD_API_URL, model: ACCOUNT_MODEL });
    expect(filesWithKey(place.folder)).toEqual([]);
    expect(commandLinesWithKey()).toEqual([]);
    // What was agreed to binds the session, and the next one if the job has to start it.
    const agreed = { maxPriceUsdPerHour: 0.7, maxCostUsd: 0.69, maxLifetimeSeconds: 3600 };
    expect(await inputOf(sessionWorkflowId('real'))).toMatchObject(agreed);
    const { jobs } = documentOf<{ jobs: { jobId: string }[] }>(await place.run(['jobs', '--json']));
    expect(await inputOf(jobWorkflowId(jobs[0]!.jobId))).toMatchObject({ sessionOptions: agreed });
    if (process.platform === 'linux') {
      const holders = Object.entries(stack!.pids).filter(([, pid]) =>
        readFileSync(`/proc/${pid}/environ`, 'latin1').includes(KEY),
      );
      expect(holders.map(([name]) => name)).toEqual(['worker']);
    }
    expect((await living()).map(({ name }) => name.split('.')[2])).toEqual(['real']);

    const { code, stdout, stderr } = await running.ended;
    expect(code, stderr).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^Temporal: embedded · RunPod: 127\.0\.0\.1:\d+ \(a real account: pods cost \$\)$/);
    const price = lines.findIndex((line) => line.includes('RTX 4090: $0.6900 an hour now'));
    const worst = lines.findIndex((line) => /worst case: \$0\.6900 for a session.* 1 h 0 m/.test(line));
    expect([price, worst].every((index) => index > 0)).toBe(true);
    expect(worst).toBeLessThan(lines.findIndex((line) => line.includes('Temporal (')));
    expect(stdout).toMatch(
      /✔ answered: .*\n[^]*● ended \(idle for 30 s.* is gone; billed .* by the session's record\n$/,
    );

    const [pod, ...more] = await podsOf('real');
    expect(more).toEqual([]);
    expect(pod?.status).toBe('TERMINATED');
    const [, minutes = '0', seconds = ''] = /billed (?:(\d+) m )?([\d.]+) s/.exec(stdout) ?? [];
    expect(Math.abs(Number(minutes) * 60 + Number(seconds) - pod!.billedSeconds)).toBeLessThan(10);
    expect(filesWithKey(place.folder)).toEqual([]);
    expect(readdirSync(place.dataDir)).toEqual(expect.arrayContaining(['temporal.db', 'logs']));
    expect(stdout + stderr).not.toContain(KEY);
    await place.nothingRuns();
  });

  it.each([[[]], [['--yes']]])(
    'without a terminal and without --max-price (%j): exit 2, nothing started',
    async (flags) => {
      const before = (await runpod.requests()).length;
      const ended = await place.run(['start-session', ...flags, '--json'], account);
      expect(ended.code).toBe(2);
      expect(documentOf(ended)).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
      expect(existsSync(place.dataDir)).toBe(false);
      expect(await runpod.requests()).toHaveLength(before);
    },
  );

  it.skipIf(isMissing('script'))('asks on a terminal, and rents nothing without a yes', async () => {
    const command = `exec "${process.execPath}" "${CLI_MAIN}" start-session`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: place.folder,
      env: { ...process.env, TEMPORAL_CONFIG_FILE: join(place.folder, 'none.toml'), ...account },
    });
    let screen = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
    const ended = new Promise((resolve) => child.once('close', resolve));
    await waitUntil(() => screen.includes('[y/N]'), { what: 'the question' });
    expect(screen).toMatch(
      /worst case: \$5\.00[^]*Rent for up to \$0\.6900 an hour, at most \$5\.00 for a session\? \[y\/N\] $/,
    );
    child.stdin.write('n\n');
    expect(await ended).toBe(130);
    expect(screen).toContain('nothing was started');
    expect(existsSync(place.dataDir)).toBe(false);
  });
});

describe('a stack with a real account', () => {
  it("holds the account's cap against a second session, is not joined by the emulator's users, and outlives its clients", async () => {
    const env = { ...account, DEVLOOP_MAX_PODS: '1' };
    const options = ['--no-prompt', '--max-price', '0.70', '--idle-timeout', '10m'];
    const first = await place.run(['start-session', 'first', '-d', '--json', ...options], env);
    expect(first.code, first.stderr).toBe(0);
    await waitUntil(async () => (await living()).length === 1, { what: 'the first pod' });

    const second = await place.run(['start-session', 'second', '--json', ...options], env);
    expect(second.code, second.stderr).toBe(1);
    const { error, stopReason } = documentOf<{ error: { code: string }; stopReason: string }>(second);
    expect(error.code).toBe('ACCOUNT_CAP');
    expect(stopReason).toMatch(/^DEVLOOP_MAX_PODS: .*1 living pod .*cap is 1\. .*devloop stop/);
    expect(await podsOf('second')).toEqual([]);

    const other = await place.run(['start-session', '--emulator', '--json'], env);
    expect(other.code).toBe(2);
    expect(documentOf<{ error: { message: string } }>(other).error.message).toMatch(
      /a real account at .*the RunPod emulator/,
    );

    expect(readStack(place.dataDir)?.runpod).toBe('account');
    const stopped = await place.run(['stop', '--all', '--json'], env);
    expect(stopped.code, stopped.stderr).toBe(0);
    expect(await living()).toEqual([]);
    await waitUntil(() => readStack(place.dataDir) === undefined, { what: 'the unused stack ends' });
    expect(filesWithKey(place.folder)).toEqual([]);
  });

  it('that was killed with its machine leaves its sessions to the next start', async () => {
    const options = ['--no-prompt', '--max-price', '0.70', '--json'];
    const first = await place.run(['start-session', 'kept', '-d', '--idle-timeout', '10m', ...options], account);
    expect(first.code, first.stderr).toBe(0);
    await waitUntil(async () => (await living()).length === 1, { what: 'the pod' });
    process.kill(readStack(place.dataDir)!.pids.supervisor, 'SIGKILL');
    await place.nothingRuns();
    expect(await living()).toHaveLength(1);

    const again = place.start(['start-session', 'kept', ...options], account);
    await again.says('● ready');
    again.child.kill('SIGINT');
    const ended = await again.ended;
    expect(ended.code, ended.stderr).toBe(130);
    expect(ended.stderr).toContain('joined session "kept"');
    expect(await podsOf('kept')).toMatchObject([{ status: 'TERMINATED' }]);
  });

  it('ends when its worker was killed, so that the next start can end the pod', async () => {
    const options = ['--no-prompt', '--max-price', '0.70', '--json'];
    const running = place.start(['start-session', 'orphan', '-d', '--idle-timeout', '10m', ...options], account);
    expect((await running.ended).code).toBe(0);
    await waitUntil(async () => (await living()).length === 1, { what: 'the pod' });
    process.kill(readStack(place.dataDir)!.pids.worker, 'SIGKILL');
    await place.nothingRuns();
    const again = place.start(['start-session', 'orphan', ...options], account);
    await again.says('● ready');
    again.child.kill('SIGINT');
    await again.ended;
    expect(await living()).toEqual([]);
  });

  it('is ended by dev with its sessions, their pods first', async () => {
    const dev = place.start(['dev', '--json', '--max-price', '0.70'], account);
    await waitUntil(() => dev.stdout.endsWith('\n'), { what: 'dev is ready' });
    expect(JSON.parse(dev.stdout)).toMatchObject({ runpodApiUrl: account.RUNPOD_API_URL });
    const options = ['--no-prompt', '-d', '--max-price', '5', '--idle-timeout', '10m'];
    const dear = await place.run(['start-session', 'dear', '--gpu', 'NVIDIA A100 80GB PCIe', ...options], account);
    expect(dear.code, dear.stderr).toBe(0);
    const fair = await place.run(['start-session', 'fair', ...options], account);
    expect(fair.code, fair.stderr).toBe(0);
    await waitUntil(async () => (await living()).length === 1, { what: 'the pod' });
    const refused = await waitUntil(
      async () => {
        const status = documentOf<{ stopReason?: string }>(await place.run(['status', 'dear', '--json']));
        return status.stopReason;
      },
      { what: "dev's --max-price is a cap of its stack" },
    );
    expect(refused).toContain('DEVLOOP_MAX_PRICE_USD_PER_HOUR');
    dev.child.kill('SIGINT');
    expect((await dev.ended).code).toBe(130);
    expect(await living()).toEqual([]);
    await place.nothingRuns();
  });
});
