import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SweepReport } from '../../src/contract/index.js';
import { DevloopClient } from '../../src/client/index.js';
import { REAPER_SCHEDULE_ID } from '../../src/contract/index.js';
import { connectLocally, readStack } from '../../src/embedded/index.js';
import { startAccount, type TestAccount } from '../support/account.js';
import { CliPlace, documentOf } from '../support/cli-place.js';
import { processesIn, waitUntil } from '../support/processes.js';
import { killHard } from '../support/respawn.js';

let account: TestAccount;
/** Two owners with a Temporal, workers and a gate secret of their own, and one RunPod account. */
const anna = new CliPlace();
const ben = new CliPlace();

beforeAll(async () => {
  account = await startAccount('rpa_ONEACCOUNTFORTWO');
});

afterAll(async () => {
  for (const place of [anna, ben]) await place.end();
  await account.runpod.stop();
});

const envOf = (owner: string): NodeJS.ProcessEnv => ({ ...account.env, DEVLOOP_OWNER: owner });

async function up(place: CliPlace, owner: string): Promise<void> {
  place.start(['dev', '--max-price', '1'], envOf(owner));
  await waitUntil(() => readStack(place.dataDir) !== undefined, { what: `${owner}'s stack` });
}

async function start(place: CliPlace, owner: string, session: string): Promise<void> {
  const args = ['start-session', session, '-d', '--no-prompt', '--max-price', '1', '--idle-timeout', '8m'];
  expect((await place.run(args, envOf(owner))).code).toBe(0);
  const { temporalAddress: address, namespace } = readStack(place.dataDir)!;
  const client = await DevloopClient.connect({ address, namespace });
  try {
    await waitUntil(async () => (await client.session(session).status()).phase === 'ready', {
      what: `${owner}'s session serves`,
    });
  } finally {
    await client.close();
  }
}

/** What a round of the reaper that begins now reports. */
async function reaperRound(place: CliPlace): Promise<SweepReport> {
  const { temporalAddress, namespace } = readStack(place.dataDir)!;
  const connection = await connectLocally(temporalAddress, 60_000);
  try {
    const client = new Client({ connection, namespace });
    const since = Date.now();
    await client.schedule.getHandle(REAPER_SCHEDULE_ID).trigger();
    let report: SweepReport | undefined;
    await waitUntil(
      async () => {
        for await (const { workflowId, runId } of client.workflow.list({ query: 'WorkflowType = "PodReaper"' })) {
          const seen = (await client.workflow.getHandle(workflowId, runId).result()) as SweepReport;
          if (Date.parse(seen.at) >= since) report = seen;
        }
        return report !== undefined;
      },
      // One that is under way when it is asked for stands in for it: then the next is waited for, and that takes a minute.
      { what: 'a round of the reaper', timeoutMs: 300_000 },
    );
    return report!;
  } finally {
    await connection.close();
  }
}

const living = async (): Promise<string[]> =>
  (await account.runpod.ledger())
    .filter(({ terminatedAt }) => terminatedAt === null)
    .map(({ name }) =>
      name
        .split('.')
        .slice(1, 3)
        .join(' ')
        .replace(/-[0-9a-f]{8} /, ' '),
    )
    .sort();

describe('two owners on one RunPod account', () => {
  it("touch nobody else's pods, not even when one of them has lost its database", async () => {
    await up(anna, 'anna');
    await start(anna, 'anna', 'x');
    await up(ben, 'ben');
    await start(ben, 'ben', 'x');
    expect(await living()).toEqual(['anna x', 'ben x']);
    for (const place of [anna, ben]) {
      const { ended, suspects, pods } = await reaperRound(place);
      expect({ ended, suspects, pods }).toEqual({ ended: [], suspects: [], pods: 2 });
    }

    for (const pid of processesIn(anna.folder)) await killHard(pid);
    rmSync(join(anna.dataDir), { recursive: true });
    await up(anna, 'anna');
    const afterwards = await reaperRound(anna);
    expect({ ended: afterwards.ended, suspects: afterwards.suspects }).toEqual({ ended: [], suspects: [] });
    expect(await living()).toEqual(['anna x', 'ben x']);

    // Nothing is late, so a plain reap finds nothing; told the session, it takes anna's pod of the lost namespace only.
    const plain = await anna.run(['reap', '--json'], envOf('anna'));
    expect({ code: plain.code, found: documentOf<{ found: unknown[] }>(plain).found }).toEqual({ code: 0, found: [] });
    expect((await anna.run(['reap', '--session', 'x'], envOf('anna'))).code).toBe(0);
    expect(await living()).toEqual(['ben x']);
    expect((await ben.run(['stop', '--all'], envOf('ben'))).code).toBe(0);
    expect(await living()).toEqual([]);
  });
});
