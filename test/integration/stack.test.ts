import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { DevloopError, WORKFLOW_TYPES } from '../../src/contract/index.js';
import {
  connectLocally,
  endStackIfUnused,
  joinOrStartStack,
  missingPollers,
  readStack,
  stopStack,
  type StackInfo,
} from '../../src/embedded/index.js';
import { isAlive, processesIn, processTree, waitUntil } from '../support/processes.js';
import { startTestStack, type TestStack } from '../support/stack.js';

const REAL_KEY = 'rpa_a-real-key-of-somebody';
const allPids = ({ pids }: StackInfo): number[] => Object.values(pids);
const gone = (pids: readonly number[]) =>
  waitUntil(() => pids.every((pid) => !isAlive(pid)), { what: `${pids.join()} are gone` });

describe('a running stack', { timeout: 180_000 }, () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await startTestStack({ env: { RUNPOD_API_KEY: REAL_KEY, TEMPORAL_API_KEY: REAL_KEY } });
  });

  afterAll(() => stack.stop());

  it('is described by stack.json once everything is ready', async () => {
    const { info, dataDir } = stack;
    expect(readStack(dataDir)).toEqual(info);
    expect(allPids(info).map(isAlive)).toEqual([true, true, true, true]);
    expect((await fetch(info.webUiUrl)).status).toBe(200);
    expect(await (await fetch(`${info.emulatorUrl}/admin/ledger`)).json()).toEqual({ pods: [] });
    expect(existsSync(info.ledgerFile)).toBe(true);
    const connection = await connectLocally(info.temporalAddress, 60_000);
    expect(await missingPollers(connection)).toEqual([]);
    await connection.close();
    const ready = stack.events.flatMap((event) =>
      event.kind === 'step' && event.state === 'ready' ? [event.step] : [],
    );
    expect(ready.sort()).toEqual(['binaries', 'emulator', 'temporal', 'worker']);
  });

  it.runIf(process.platform === 'linux')('gives its children no key of a real account', () => {
    const { pids } = stack.info;
    for (const pid of processTree(pids.supervisor)) {
      expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).not.toContain(REAL_KEY);
    }
    expect(readFileSync(`/proc/${pids.worker}/environ`, 'latin1')).toContain('RUNPOD_API_KEY=emulator');
  });

  it('is joined by a second start, and kept by it', async () => {
    const second = await startTestStack({ dataDir: stack.dataDir });
    expect(second.handle.joined).toBe(true);
    expect(second.info.pids).toEqual(stack.info.pids);
    stack.handle.release();
    expect(await endStackIfUnused(stack.dataDir)).toBe('in-use');
    expect(isAlive(stack.info.pids.supervisor)).toBe(true);
  });

  it('reports a child that died and keeps the others', async () => {
    const { info, dataDir } = stack;
    process.kill(info.pids.worker, 'SIGKILL');
    const died = await waitUntil(() => readStack(dataDir)?.died[0], {
      what: 'the report in stack.json',
    });
    expect(died).toMatchObject({ name: 'worker', code: null, signal: 'SIGKILL' });
    expect([info.pids.temporal, info.pids.emulator, info.pids.supervisor].map(isAlive)).toEqual([true, true, true]);
    await waitUntil(() => stack.events.some((event) => event.kind === 'died' && event.name === 'worker'), {
      what: 'whoever started it hears of it',
    });
    const log = join(info.logsDir, 'supervisor.log');
    await waitUntil(() => readFileSync(log, 'utf8').includes('worker was ended by SIGKILL'), {
      what: 'its log says so',
    });
  });

  it('ends with every process when it is told to', async () => {
    const tree = processTree(stack.info.pids.supervisor);
    expect(tree.length).toBeGreaterThanOrEqual(4);
    await stopStack(stack.dataDir);
    expect(tree.filter(isAlive)).toEqual([]);
    expect(readStack(stack.dataDir)).toBeUndefined();
    expect(existsSync(join(stack.dataDir, 'stack.json'))).toBe(false);
    await stack.handle.ended;
  });
});

describe('the life of a stack', { timeout: 180_000 }, () => {
  let stack: TestStack | undefined;

  afterEach(async () => {
    await stack?.stop();
    stack = undefined;
  });

  it('lasts as long as a job is open and ends by itself 10 s after the last use', async () => {
    stack = await startTestStack();
    const { info, dataDir } = stack;
    const tree = processTree(info.pids.supervisor);
    const connection = await connectLocally(info.temporalAddress, 60_000);
    const job = await new Client({ connection }).workflow.start(WORKFLOW_TYPES.agentJob, {
      workflowId: 'agent-job/open',
      taskQueue: 'nobody-polls-this',
    });
    stack.handle.release();
    expect(await endStackIfUnused(dataDir)).toBe('in-use');
    await delay(12_000);
    expect(isAlive(info.pids.supervisor)).toBe(true);

    const unusedMs = Date.now();
    await job.terminate();
    await connection.close();
    await stack.handle.ended;
    // The supervisor may have looked for the last time some seconds before.
    expect(Date.now() - unusedMs).toBeGreaterThan(5000);
    expect(Date.now() - unusedMs).toBeLessThan(60_000);
    expect(tree.filter(isAlive)).toEqual([]);
  });

  it('is one for two starts at once, remembers its sessions, and ends at once when asked by the last', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'devloop-stack-'));
    const [first, second] = await Promise.all([startTestStack({ dataDir }), startTestStack({ dataDir })]);
    stack = first;
    expect(first.info.pids).toEqual(second.info.pids);
    expect([first.handle.joined, second.handle.joined].sort()).toEqual([false, true]);
    first.handle.release();
    second.handle.release();
    const askedMs = Date.now();
    const decided = waitUntil(() => readStack(dataDir) === undefined, { what: 'it ends' }).then(() => Date.now());
    expect(await endStackIfUnused(dataDir, { waitMs: 30_000 })).toBe('ended');
    // By itself it would after ten seconds.
    expect((await decided) - askedMs).toBeLessThan(9000);
    expect(allPids(first.info).filter(isAlive)).toEqual([]);

    // The same database and ledger again.
    stack = await startTestStack({ dataDir });
    expect(stack.gateSecret).toBe(first.gateSecret);
    await stack.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('leaves nothing when its supervisor is killed, and starts again', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'devloop-stack-'));
    stack = await startTestStack({ dataDir });
    const before = allPids(stack.info);
    const tree = processTree(stack.info.pids.supervisor);
    process.kill(stack.info.pids.supervisor, 'SIGKILL');
    stack.handle.release();
    await waitUntil(() => readStack(dataDir) === undefined, { what: 'the supervisor is gone' });
    stack = await startTestStack({ dataDir });
    expect(before.filter(isAlive)).toEqual([]);
    await gone(tree);
    await stack.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('ends the pods of an emulator that was killed', async () => {
    stack = await startTestStack();
    const { info, dataDir } = stack;
    const own = processesIn(dataDir);
    const answer = await fetch(`${info.emulatorUrl}/v2/pods`, {
      method: 'POST',
      headers: { authorization: 'Bearer emulator', 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'left-behind',
        image: 'any',
        gpu: { id: 'NVIDIA GeForce RTX 4090', count: 1 },
        ports: ['8000/http'],
      }),
    });
    expect(answer.status).toBe(201);
    const pod = await waitUntil(() => processesIn(dataDir).find((pid) => !own.includes(pid)), {
      what: "the pod's first process",
    });
    process.kill(info.pids.emulator, 'SIGKILL');
    await waitUntil(() => readStack(dataDir)?.died[0], { what: 'the report in stack.json' });
    expect(isAlive(pod)).toBe(true);
    await stopStack(dataDir);
    expect(processesIn(dataDir)).toEqual([]);
  });

  it('is its own in every data folder', async () => {
    const other = await startTestStack();
    try {
      stack = await startTestStack();
      const ports = ({ temporalAddress, webUiUrl, emulatorUrl }: TestStack['info']) => [
        temporalAddress,
        webUiUrl,
        emulatorUrl,
      ];
      expect(new Set([...ports(stack.info), ...ports(other.info)]).size).toBe(6);
      await other.stop();
      expect(allPids(stack.info).every(isAlive)).toBe(true);
    } finally {
      await other.stop();
    }
  });
});

describe('a start that fails', { timeout: 180_000 }, () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'devloop-stack-'));
  });

  afterEach(async () => {
    await stopStack(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function failure(env: NodeJS.ProcessEnv = {}): Promise<DevloopError> {
    const error = await joinOrStartStack({
      config: { ...loadConfig(process.env), dataDir },
      env: { ...process.env, ...env },
    }).then(
      () => new Error('it started'),
      (problem: unknown) => problem,
    );
    expect(error).toBeInstanceOf(DevloopError);
    return error as DevloopError;
  }

  function expectNothingLeft(): void {
    expect(processesIn(dataDir)).toEqual([]);
    const files = readdirSync(dataDir);
    for (const name of ['stack.json', 'processes.json', 'stack.lock']) expect(files).not.toContain(name);
    expect(readdirSync(join(dataDir, 'clients'))).toEqual([]);
  }

  it('names a database that cannot be read', async () => {
    writeFileSync(join(dataDir, 'temporal.db'), 'this is no database '.repeat(500));
    const { code, message } = await failure();
    expect(code).toBe('STACK_FAILED');
    expect(message).toMatch(/^temporal ended with code \d+\. The end of .*temporal\.log:[^]*move .*temporal\.db away/);
    expectNothingLeft();
  });

  it('names a ledger that cannot be read', async () => {
    mkdirSync(join(dataDir, 'emulator'));
    writeFileSync(join(dataDir, 'emulator', 'ledger.json'), '{');
    const { code, message } = await failure();
    expect(code).toBe('STACK_FAILED');
    expect(message).toMatch(/^emulator ended with code 2\.[^]*ledger[^]*start again/);
    expectNothingLeft();
  });

  it('names a program that is missing', async () => {
    const { code, message } = await failure({ DEVLOOP_TEMPORAL_CLI: '/absent/temporal' });
    expect(code).toBe('PREREQUISITE_MISSING');
    expect(message).toContain('DEVLOOP_TEMPORAL_CLI=/absent/temporal');
    expectNothingLeft();
  });

  it('names a worker that ends, with what it said', async () => {
    const { code, message } = await failure({ DEVLOOP_LOG_LEVEL: 'loud' });
    expect(code).toBe('STACK_FAILED');
    expect(message).toMatch(/^worker ended with code 2\.[^]*DEVLOOP_LOG_LEVEL/);
    expectNothingLeft();
  });

  it('is undone when whoever wanted it is killed', async () => {
    const entry = join(import.meta.dirname, '..', '..', 'dist', 'src', 'embedded', 'index.js');
    const config = JSON.stringify({ ...loadConfig(process.env), dataDir });
    const script = `import { joinOrStartStack } from ${JSON.stringify(entry)}; await joinOrStartStack({ config: ${config} });`;
    const starter = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
    await waitUntil(() => existsSync(join(dataDir, 'processes.json')), { what: 'the first child' });
    starter.kill('SIGKILL');
    await waitUntil(() => processesIn(dataDir).length === 0, { what: 'everything has ended' });
    expect(readdirSync(dataDir)).not.toContain('stack.json');
  });
});
