import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionWorkflowId } from '../../src/contract/index.js';
import type { CostReport } from '../../src/cost/cost-report.js';
import type { BillLine } from '../../src/cost/reconcile.js';
import { EMULATOR_KEY } from '../../src/embedded/index.js';
import { CliPlace, documentOf } from '../support/cli-place.js';
import { LiveStack } from '../support/live-stack.js';
import { waitUntil } from '../support/processes.js';

const PROMPT = 'Say pineapple.';
const PROJECT = 'a | b {{ site }}';

let live: LiveStack;
let place: CliPlace;
let env: NodeJS.ProcessEnv;
let answer: string;

beforeAll(async () => {
  live = await LiveStack.start();
  place = new CliPlace();
  const { temporalAddress, emulatorUrl } = live.stack.info;
  env = {
    TEMPORAL_ADDRESS: temporalAddress,
    RUNPOD_API_URL: `${emulatorUrl}/v2`,
    RUNPOD_API_KEY: EMULATOR_KEY,
    DEVLOOP_OWNER: 'costs',
  };
  const { client } = live;
  await client.startSession({ session: 'paid', project: 'lab', drainSeconds: 0, startedBy: 'a person' });
  const { handle } = await client.submitJob({ session: 'paid', project: PROJECT, input: PROMPT }, { jobId: 'one' });
  answer = (await handle.result()).output;
  await client.session('paid').stop('a secret reason');
  await client.session('paid').result();
  await client.startSession({ session: 'torn' });
  for await (const { phase } of client.session('torn').watch()) if (phase === 'ready') break;
  const temporal = new Client({ connection: live.connection, namespace: live.stack.info.namespace });
  await temporal.workflow.getHandle(sessionWorkflowId('torn')).terminate();
  await waitUntil(async () => (await client.listClosedSessions({ since: new Date(0) })).length === 2, {
    what: 'the listing shows both ends',
  });
});

afterAll(async () => {
  await place.end();
  await live.stop();
});

describe('devloop cost', () => {
  const costs = async (...args: string[]): Promise<CostReport> =>
    documentOf<CostReport>(await place.run(['cost', ...args, '--json'], env));

  it('tells what the ledger says, who bears it, and of whom nothing is known', async () => {
    const [paid] = await live.podsOf('paid');
    const [torn] = await live.podsOf('torn');
    const { totalUsd, perProject, jobs, problems } = await costs();
    expect(Math.abs(totalUsd - (paid?.costUsd ?? NaN))).toBeLessThan(0.01);
    expect(perProject.map(({ project, leases }) => [project, leases])).toEqual([[PROJECT, 1]]);
    expect(jobs.map(({ jobId, usd }) => [jobId, usd])).toEqual([['one', totalUsd]]);
    expect(problems).toEqual([expect.stringContaining(`its last pod was ${torn?.id}`)]);
    const { stdout, stderr, code } = await place.run(['cost', '--since', '36h'], env);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/in use, .* booting, .* unused[^]*DAY +COST +PROJECTS/)]);
    expect(stderr).toContain('not in the figures: session "torn"');
  });

  it("beside RunPod's bill names a pod of ours that no session had, and exits 4", async () => {
    const name = `devloop.costs-0123abcd.lost.${'0'.repeat(8)}-0000-7000-8000-000000000000.1.4000000000`;
    const [orphan, notebook] = [await rent(name), await rent('my notebook')];
    const ended = await place.run(['cost', '--reconcile', '--json'], env);
    expect(ended.code).toBe(4);
    const { bill } = documentOf<{ bill: BillLine[] }>(ended);
    const [paid] = await live.podsOf('paid');
    const verdicts = new Map(bill.map((line) => [line.podId, line]));
    expect(verdicts.get(paid?.id ?? '')).toMatchObject({ session: 'paid', verdict: 'same' });
    expect(verdicts.get(orphan)).toMatchObject({ name, oursUsd: 0, verdict: 'unknown' });
    expect(verdicts.get(notebook)).toMatchObject({ name: 'my notebook', verdict: 'foreign' });
    expect((await place.run(['cost', '--reconcile'], env)).stdout).toMatch(new RegExp(`${orphan} .* unknown`));
  });

  it('without an answer of RunPod concludes nothing', async () => {
    const ended = await place.run(['cost', '--reconcile'], { ...env, RUNPOD_API_URL: 'http://127.0.0.1:1/v2' });
    expect([ended.code, ended.stderr]).toEqual([3, expect.stringContaining('RUNPOD_UNREACHABLE')]);
  });

  it.each(['week', '0d', '7'])('--since %s is refused', async (since) => {
    const { code, stderr } = await place.run(['cost', '--since', since], env);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--since.*such as 7d or 36h/)]);
  });

  it('counts what is in the log as well, and what is in both once', async () => {
    const { totalUsd } = await costs();
    const folder = join(place.folder, 'older');
    await place.run(['log', 'export', '--dir', folder], env);
    expect((await costs('--log', folder)).totalUsd).toBe(totalUsd);
    const file = join(folder, 'sessions.jsonl');
    const line = JSON.parse(readFileSync(file, 'utf8').split('\n')[0] ?? '') as { pods: object[] };
    const yesterday = new Date(Date.now() - 86_400_000);
    const [createdAt, endedAt] = [yesterday, new Date(yesterday.getTime() + 3_600_000)].map((at) => at.toISOString());
    const pods = line.pods.map((pod) => ({ ...pod, costPerHourUsd: 2, createdAt, endedAt }));
    const older = { ...line, runId: 'older', firstRunId: 'older', startedAt: createdAt, endedAt, pods };
    appendFileSync(file, `${JSON.stringify(older)}\n`);
    expect((await costs('--log', folder, '--since', '2d')).totalUsd).toBeCloseTo(totalUsd + 2, 9);
  });
});

describe('devloop log export', () => {
  const folder = (): string => join(place.folder, 'docs/log');
  const exported = async () => documentOf(await place.run(['log', 'export', '--json'], env));
  const content = (): Record<string, string> =>
    Object.fromEntries(readdirSync(folder()).map((name) => [name, readFileSync(join(folder(), name), 'utf8')]));

  it('adds what has ended, once, and nothing of what was said', async () => {
    expect(await exported()).toEqual({ sessions: 2, jobs: 1, dir: 'docs/log' });
    const first = content();
    const month = new Date().toISOString().slice(0, 7);
    expect(Object.keys(first).sort()).toEqual([`${month}.md`, 'index.md', 'jobs.jsonl', 'sessions.jsonl']);
    const all = Object.values(first).join('\n');
    for (const secret of [PROMPT, answer, 'a secret reason', 'a person', live.stack.gateSecret]) {
      expect(all).not.toContain(secret);
    }
    expect(JSON.parse(first['jobs.jsonl'] ?? '')).toMatchObject({
      jobId: 'one',
      agent: 'chat',
      project: PROJECT,
      state: 'done',
      usage: { outputTokens: expect.any(Number) as number },
    });
    expect(first[`${month}.md`]).toContain(String.raw`| a \| b \{\{ site \}\} |`);
    expect(first['index.md']).toMatch(/\| booting \| 1 \| \d+\.\d s \|/);
    expect(await exported()).toEqual({ sessions: 0, jobs: 0, dir: 'docs/log' });
    expect(content()).toEqual(first);
  });

  it('repairs a torn line, and two at once do no harm', async () => {
    const before = content();
    appendFileSync(join(folder(), 'jobs.jsonl'), '{"runId":"half');
    await Promise.all([exported(), exported()]);
    expect(content()).toEqual(before);
  });

  it('leaves a file alone that it cannot read, and names the line', async () => {
    const dir = join(place.folder, 'broken');
    mkdirSync(dir);
    writeFileSync(join(dir, 'jobs.jsonl'), '{"runId":1}\n');
    const { code, stderr } = await place.run(['log', 'export', '--dir', dir], env);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/jobs\.jsonl line 1: runId: .*INVALID_INPUT/)]);
    expect(readFileSync(join(dir, 'jobs.jsonl'), 'utf8')).toBe('{"runId":1}\n');
  });
});

/** By the API, as somebody else would. @returns the pod's id */
async function rent(name: string): Promise<string> {
  const response = await fetch(`${live.stack.info.emulatorUrl}/v2/pods`, {
    method: 'POST',
    headers: { authorization: `Bearer ${EMULATOR_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      name,
      image: 'i',
      gpu: { id: 'NVIDIA GeForce RTX 3090', count: 1 },
      cloud: 'SECURE',
      disk: 5,
    }),
  });
  if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}
