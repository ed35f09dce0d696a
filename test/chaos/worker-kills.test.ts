import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionRecord } from '../../src/contract/index.js';
import { hasReached, LiveStack } from '../support/live-stack.js';
import { waitUntil } from '../support/processes.js';
import { seeded } from '../support/random.js';

const RUNS = Number(process.env.DEVLOOP_CHAOS_RUNS ?? 6);
const SEED = Number(process.env.DEVLOOP_CHAOS_SEED ?? Date.now() % 1_000_000);
const IDLE_SECONDS = 5;
/** With stock settings of worker and server, which wait 10 s for the worker that knew the session. */
const TERMINATE_WITHIN_SECONDS = 30;

/** The moments of one session's life, and how long after the moment has come the kill may still hit it. */
const MOMENTS = [
  { name: 'creating', spreadMs: 400 },
  { name: 'booting', spreadMs: 2500 },
  { name: 'running', spreadMs: 1500 },
  { name: 'idle', spreadMs: 5000 },
  { name: 'stopping', spreadMs: 4500 },
] as const;

let live: LiveStack;

beforeAll(async () => {
  process.stdout.write(`worker kills: ${RUNS} runs, DEVLOOP_CHAOS_SEED=${SEED}\n`);
  live = await LiveStack.start();
});

afterAll(async () => {
  await live.stop();
});

describe('a worker killed at any moment and followed by a new one', () => {
  const random = seeded(SEED);
  const runs = Array.from({ length: RUNS }, (_, index) => {
    const moment = MOMENTS[index % MOMENTS.length]!;
    return {
      index,
      moment: moment.name,
      afterMs: Math.round(random() * moment.spreadMs),
      gapMs: Math.round(random() * 3000),
    };
  });

  it.each(runs)(
    'run $index: $moment + $afterMs ms, next worker after $gapMs ms',
    async ({ index, moment, afterMs, gapMs }) => {
      const session = `kill-${index}`;
      const sessionOptions = { idleTimeoutSeconds: IDLE_SECONDS };
      const job = await live.client.submitJob({ session, input: 'Say hello to the world.', sessionOptions });
      await comes(moment, session, job.handle);
      await delay(afterMs);
      const startAgain = await live.kill('worker');
      await delay(gapMs);
      startAgain();
      const pollsAtMs = await live.workerPolls();

      const { usage } = await job.handle.result();
      expect(usage.outputTokens).toBeGreaterThan(0);
      const record = await live.client.session(session).result();
      const pods = await live.podsOf(session);
      expect(pods).toHaveLength(1);
      const pod = pods[0]!;
      expect(pod.status).toBe('TERMINATED');

      const deletes = (await live.requests()).filter(({ method, podId }) => method === 'DELETE' && podId === pod.id);
      const firstDeleteMs = Date.parse(deletes[0]?.at ?? '');
      const dueMs = Math.max(idleDeadlineMs(record), pollsAtMs);
      const lateSeconds = (firstDeleteMs - dueMs) / 1000;
      process.stdout.write(`  ${moment}: terminate request ${lateSeconds.toFixed(1)} s after it was due\n`);
      expect(lateSeconds).toBeLessThanOrEqual(TERMINATE_WITHIN_SECONDS);
    },
  );
});

async function comes(
  moment: (typeof MOMENTS)[number]['name'],
  session: string,
  job: Awaited<ReturnType<LiveStack['client']['submitJob']>>['handle'],
): Promise<void> {
  if (moment === 'creating') return;
  await waitUntil(
    async () => {
      if (moment === 'running') return (await job.status()).phase !== 'waiting';
      // A job's session does not exist at once.
      const status = await live.client.session(session).status();
      return moment === 'idle' ? status.jobsServed === 1 && status.leases.length === 0 : hasReached(status, moment);
    },
    { what: `session ${session}: ${moment}` },
  );
}

function idleDeadlineMs({ startedAt, phases, leases }: SessionRecord): number {
  const readySeconds = phases
    .filter(({ phase }) => phase === 'creating' || phase === 'booting')
    .reduce((sum, { seconds }) => sum + seconds, 0);
  const readyMs = Date.parse(startedAt) + readySeconds * 1000;
  const leaseEndsMs = leases.map(({ grantedAt, seconds }) => Date.parse(grantedAt) + seconds * 1000);
  return Math.max(readyMs, ...leaseEndsMs) + IDLE_SECONDS * 1000;
}
