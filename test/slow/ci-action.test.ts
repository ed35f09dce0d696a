import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAccount, type TestAccount } from '../support/account.js';
import { readLedgerFile, type LedgerPod } from '../support/emulator.js';
import { REPOSITORY } from '../support/markdown.js';
import { readAction, readWorkflow } from '../support/github-files.js';
import { GithubJob, GithubMachine } from '../support/github-job.js';
import { processTree, waitUntil } from '../support/processes.js';

const KEY = 'rpa_THEKEYOFTHEACCOUNT0123456789';
const { inputs: declared, outputs: given, runs } = readAction();
const guardSteps = readWorkflow('guard.yml').jobs.guard?.steps ?? [];
const FORK = {
  event_name: 'pull_request',
  event: { pull_request: { head: { repo: { full_name: 'stranger/project' } } }, repository: { fork: false } },
};
const FOR_EVER = "node -e 'console.log(`the command is up`); setInterval(() => 0, 1000)'";

let account: TestAccount;
let lastRunId = 17_000_000_000;
const machines: GithubMachine[] = [];
/** Uses of the action in one job share it, and so an embedded stack. */
let runner: GithubMachine;

beforeAll(async () => {
  account = await startAccount(KEY);
  await account.runpod.settings({ provisioningSeconds: 0, startingSeconds: 0 });
  runner = machine();
});

afterAll(async () => {
  await Promise.all(machines.map((each) => each.end()));
  await account.runpod.stop();
});

function machine(workspace?: string): GithubMachine {
  const created = new GithubMachine(workspace);
  machines.push(created);
  return created;
}

/** The programs of this machine and none of its settings; RunPod is the account, whose key comes from elsewhere. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries({ ...process.env, ...account.env }).filter(
    ([name]) => !/^(TEMPORAL_|GITHUB_|RUNNER_|RUNPOD_API_KEY|DEVLOOP_(DATA|GATE|LOG|MAX|OWNER))/.test(name),
  );
  return Object.fromEntries(kept);
}

function job(inputs: Record<string, string>, { on = runner, github = {}, env = {} } = {}): GithubJob {
  const defaults = Object.fromEntries(
    Object.entries(declared).map(([name, input]) => [name, input.default ?? ''] as const),
  );
  const contexts = { inputs: { ...defaults, ...inputs } };
  return new GithubJob({
    steps: runs.steps,
    contexts,
    runId: (lastRunId += 1),
    github,
    env: { ...environment(), ...env },
    machine: on,
  });
}

/** The guard of a run: another machine, which has the key and nothing else. */
function guard(key: string, of: number, github = {}): GithubJob {
  const contexts = { inputs: { sessions: '', owner: '' }, secrets: { 'runpod-api-key': key } };
  return new GithubJob({
    steps: guardSteps,
    contexts,
    runId: of,
    github,
    env: environment(),
    machine: machine(REPOSITORY),
  });
}

const paid = (run: string) => ({ run, 'runpod-api-key': KEY, 'max-price': '0.70', 'idle-timeout': '5m' });

async function podsOf(run: GithubJob): Promise<LedgerPod[]> {
  return (await account.runpod.ledger()).filter(({ name }) => name.split('.')[2] === `ci-${run.runId}-1`);
}

describe('the action', () => {
  it.concurrent('rents, gives the command the model and not the key, and sees the pod gone', async () => {
    const test = join(REPOSITORY, 'examples/ci/agent.test.mjs');
    const green = job(paid(`node --test '${test}'\npwd\nenv | sort`));
    await green.run();
    expect(green.status, green.log).toBe('success');
    const [pod, ...more] = await podsOf(green);
    expect(more).toEqual([]);
    const name = expect.stringMatching(/^devloop\.gh-123456789-/) as string;
    expect(pod).toMatchObject({ status: 'TERMINATED', name });
    const outputs = green.outputs(given);
    expect(outputs).toMatchObject({
      session: `ci-${green.runId}-1`,
      skipped: 'false',
      'pod-id': pod?.id,
      'exit-code': '0',
    });
    expect(Math.abs(Number(outputs['cost-usd']) - (pod?.costUsd ?? NaN))).toBeLessThan(0.005);
    const row = String.raw`\| ci-${green.runId}-1 \| ${pod?.id} \| NVIDIA GeForce RTX 4090 \| \$0\.6900 \| \d+ \| \$0\.0\d+ \| asked to stop`;
    expect(green.summary).toMatch(new RegExp(row));
    expect(green.log).toContain(`\n${runner.workspace}\n`);
    expect(green.log).toContain(`::add-mask::${KEY}\n`);
    expect(green.log.replaceAll(`::add-mask::${KEY}\n`, '')).not.toContain(KEY);
  });

  it.concurrent('whose run step is killed in the middle of the command ends the pod all the same', async () => {
    const killed = job(paid(FOR_EVER));
    let killedAtMs = 0;
    await killed.run({}, async (id, { pid = 0 }) => {
      if (id !== 'run') return;
      const up = () => killed.log.includes('the command is up');
      await waitUntil(up, { what: 'the command runs' });
      for (const each of processTree(pid)) process.kill(each, 'SIGKILL');
      killedAtMs = Date.now();
    });
    expect(killed.results).toMatchObject({ run: { outcome: 'failure' }, stop: { outcome: 'success' } });
    expect(killed.status).toBe('failure');
    const [pod, ...more] = await podsOf(killed);
    expect(more).toEqual([]);
    // Nobody gave its lease back, and nothing waits for that: a drain is 60 s.
    expect(Date.parse(pod?.terminatedAt ?? '') - killedAtMs).toBeLessThan(58_000);
  });

  it.concurrent('that is cancelled passes the signal on to its command', async () => {
    const traps = `trap 'echo the command heard it; exit 9' TERM; echo the command is up; while sleep 0.1; do :; done`;
    const cancelled = job(paid(traps));
    await cancelled.run({}, async (id, step) => {
      if (id !== 'run') return;
      const up = () => cancelled.log.includes('the command is up');
      await waitUntil(up, { what: 'the command runs' });
      step.kill('SIGINT');
    });
    expect(cancelled.log).toContain('the command heard it');
    expect(cancelled.outputs(given)['exit-code']).toBe('9');
    expect(await podsOf(cancelled)).toMatchObject([{ status: 'TERMINATED' }]);
  });

  it('whose machine is lost between two steps has a guard, which needs the key alone', async () => {
    const lost = job(paid('true'));
    await lost.run({ last: 'start' });
    await waitUntil(async () => (await podsOf(lost)).length === 1, { what: 'the pod' });
    await runner.killEverything();
    expect(await podsOf(lost)).toMatchObject([{ terminatedAt: null }]);
    // The first look fails, though the pod itself may ask as well: it must not be taken for "no pods".
    await account.runpod.fault({ kind: 'server-error', times: 2, match: { operation: 'list' } });
    const watching = guard(KEY, lost.runId);
    await watching.run();
    expect(watching.status, watching.log).toBe('success');
    const failed = (await account.runpod.requests()).filter(({ key, status }) => key === 'account' && status >= 500);
    expect(failed).not.toEqual([]);
    expect(await podsOf(lost)).toMatchObject([{ status: 'TERMINATED' }]);
    expect(watching.summary).toContain('ended by `devloop reap`');
  });

  it('fails with the exit code of a command that fails; with the emulator it needs no account', async () => {
    const own = machine();
    const red = job({ run: 'exit 3\necho never', emulator: 'true' }, { on: own });
    await red.run();
    expect(red.status).toBe('failure');
    expect(red.outputs(given)['exit-code'], red.log).toBe('3');
    expect(red.log).toContain('::error title=Devloop::The command ended with code 3.');
    expect(red.results).toMatchObject({ stop: { outcome: 'success' }, reap: { outcome: 'skipped' } });
    const ledger = await readLedgerFile(join(own.temp, 'devloop/data/emulator/ledger.json'));
    expect(ledger).toMatchObject([{ status: 'TERMINATED' }]);
    expect(await podsOf(red)).toEqual([]);
  });
});

describe('without a key', () => {
  it.each([
    ['a pull request from a fork', FORK],
    ['a fork of the repository', { event: { repository: { fork: true } } }],
    ['Dependabot', { actor: 'dependabot[bot]' }],
  ])('%s is skipped, and the page of the run says so', async (_who, github) => {
    const skipped = job({ run: 'true' }, { github });
    const watching = guard('', skipped.runId, github);
    for (const each of [skipped, watching]) {
      await each.run();
      expect(each.status, each.log).toBe('success');
      expect(each.log).toContain('::notice title=Devloop::Skipped. Nothing was rented and nothing was tested.');
      expect(each.summary).toContain('### Devloop: skipped');
    }
    expect(skipped.outputs(given)).toMatchObject({ skipped: 'true', 'exit-code': '' });
    expect(Object.values(skipped.results).filter(({ outcome }) => outcome === 'success')).toHaveLength(1);
  });

  it('everybody else fails', async () => {
    for (const each of [job({ run: 'true' }), guard('', 1)]) {
      await each.run();
      expect(each.status).toBe('failure');
      expect(each.log).toContain('::error title=Devloop::there is no RunPod key');
    }
  });

  it.each([
    [{ session: 'Foo' }, {}, 'session "Foo"'],
    [{ temporal: 'external' }, {}, 'temporal is external: set TEMPORAL_ADDRESS'],
    [{}, { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 'temporal is embedded, but'],
    [{ temporal: 'cloud' }, {}, 'temporal "cloud"'],
    [{ emulator: 'yes' }, {}, 'emulator "yes"'],
  ])('%j with %j is refused, and the message names it', async (inputs, env, message) => {
    const refused = job({ ...paid('true'), ...inputs }, { env });
    await refused.run();
    expect(refused.status).toBe('failure');
    expect(refused.log).toContain(`::error title=Devloop::${message}`);
    expect(Object.values(refused.results).filter(({ outcome }) => outcome !== 'skipped')).toHaveLength(1);
  });

  it('the guard with a wrong one fails', async () => {
    const watching = guard('rpa_WRONG', 1);
    await watching.run();
    expect(watching.status).toBe('failure');
    expect(watching.log).toContain('::error title=Devloop::A pod of session');
    expect(readFileSync(join(REPOSITORY, '.github/workflows/guard.yml'), 'utf8')).not.toContain('continue-on-error');
  });
});
