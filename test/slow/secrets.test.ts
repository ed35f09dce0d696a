import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DevloopClient } from '../../src/client/index.js';
import { connectLocally, readStack } from '../../src/embedded/index.js';
import { gateToken } from '../../src/runpod/index.js';
import { startAccount, type TestAccount } from '../support/account.js';
import { CliPlace } from '../support/cli-place.js';
import { contentOf, processesIn, waitUntil } from '../support/processes.js';

const ACCOUNT_KEY = 'rpa_CANARYOFTHEACCOUNT0123456789';
const GATE_SECRET = 'canary-of-the-gates-secret-0123456789';
/** Stands in all the same places and is no secret: a search that does not find it finds nothing. */
const SESSION = 'canarysession';

const place = new CliPlace();
let account: TestAccount;
let env: NodeJS.ProcessEnv;
let client: DevloopClient;
/** Everything that was printed. */
let printed = '';
let podName: string;

beforeAll(async () => {
  account = await startAccount(ACCOUNT_KEY);
  env = { ...account.env, DEVLOOP_GATE_SECRET: GATE_SECRET, DEVLOOP_LOG_LEVEL: 'debug' };
  place.start(['dev', '--max-price', '1'], env);
  await waitUntil(() => readStack(place.dataDir) !== undefined, { what: 'the stack is up' });
  const { temporalAddress: address, namespace } = readStack(place.dataDir)!;
  client = await DevloopClient.connect({ address, namespace });
  await run('run', '--session', SESSION, '--idle-timeout', '8m', 'Say hello.');
  const wrong = await client.submitJob({ session: SESSION, agent: 'no-such-agent', input: 'x' });
  await expect(wrong.handle.result()).rejects.toMatchObject({ code: 'AGENT_UNKNOWN' });
  podName = (await client.session(SESSION).status()).pod!.name;
});

afterAll(async () => {
  await client.close();
  await place.end();
  await account.runpod.stop();
});

async function run(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await place.run(args, env);
  printed += stdout + stderr;
  expect(code, stderr).toBe(0);
}

/** Every history with its payloads decoded, every memo and search attribute, and what queries answer. */
async function allThatTemporalKnows(): Promise<string> {
  const { temporalAddress, namespace } = readStack(place.dataDir)!;
  const connection = await connectLocally(temporalAddress, 60_000);
  const temporal = new Client({ connection, namespace });
  const texts: string[] = [];
  const decoded = (_key: string, value: unknown): unknown => {
    const isBytes = value instanceof Uint8Array || (value as { type?: string } | null)?.type === 'Buffer';
    return isBytes ? Buffer.from(value as Uint8Array).toString('latin1') : value;
  };
  for await (const { workflowId, runId } of temporal.workflow.list()) {
    const handle = temporal.workflow.getHandle(workflowId, runId);
    const { events } = await handle.fetchHistory();
    const { memo, raw } = await handle.describe();
    const status = await handle.query('status').catch(() => undefined);
    texts.push(JSON.stringify([events, memo, raw, status], decoded));
  }
  await connection.close();
  return texts.join('\n');
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const filesWith = (text: string): string[] => filesIn(place.folder).filter((file) => contentOf(file).includes(text));

const commandLines = (): string =>
  execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => Number.parseInt(line, 10) !== account.runpod.pid)
    .join('\n');

describe('the account key, the gate secret and the gate token', () => {
  it('are in no history, memo, log, file, command line or output, where other words are found', async () => {
    await run('status', SESSION, '--json');
    await run('jobs', '--json');
    await run('pods', '--json');
    await run('logs', SESSION, '--tail', '1000');
    await run('stop', SESSION);
    const secrets = [ACCOUNT_KEY, GATE_SECRET, gateToken(GATE_SECRET, podName)];
    const temporal = await allThatTemporalKnows();
    expect(temporal).toContain(SESSION);
    expect(printed).toContain(SESSION);
    expect(filesWith(SESSION).some((file) => file.endsWith('temporal.db'))).toBe(true);
    for (const secret of secrets) {
      expect(temporal.includes(secret)).toBe(false);
      expect(printed.includes(secret)).toBe(false);
      expect(commandLines().includes(secret)).toBe(false);
      expect(filesWith(secret)).toEqual([]);
    }
  });

  it.runIf(process.platform === 'linux')('reach a pod only as its own token', async () => {
    await run('start-session', 'second', '-d', '--no-prompt', '--max-price', '1', '--idle-timeout', '8m');
    await waitUntil(async () => (await client.session('second').status()).phase === 'ready', {
      what: 'the pod serves',
    });
    const { pod } = await client.session('second').status();
    const pids = processesIn(account.runpod.dataDir).filter((pid) => pid !== account.runpod.pid);
    const environments = pids.map((pid) => contentOf(`/proc/${pid}/environ`).toString('latin1'));
    expect(environments.some((text) => text.includes(gateToken(GATE_SECRET, pod!.name)))).toBe(true);
    for (const text of environments) {
      expect(text.includes(ACCOUNT_KEY)).toBe(false);
      expect(text.includes(GATE_SECRET)).toBe(false);
    }
    await run('stop', 'second');
  });
});
