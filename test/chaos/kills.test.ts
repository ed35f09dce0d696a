import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionPhase } from '../../src/contract/index.js';
import { hasReached, LiveStack, type Victim } from '../support/live-stack.js';
import { waitUntil } from '../support/processes.js';

const IDLE_SECONDS = 6;
const sessionOptions = { idleTimeoutSeconds: IDLE_SECONDS };

let live: LiveStack;

beforeAll(async () => {
  live = await LiveStack.start();
});

afterAll(async () => {
  await live.stop();
});

// One kill meets three sessions, one in each phase: what matters is what each finds when the program is back.
describe.each<Victim>(['worker', 'temporal'])('SIGKILL of the %s', (victim) => {
  it('during boot, serve and stop: the job answers, one pod each, every pod ends and is paid to the second', async () => {
    const names = { stops: `${victim}-stops`, serves: `${victim}-serves`, boots: `${victim}-boots` };
    await live.client.startSession({ session: names.stops, idleTimeoutSeconds: 600 });
    const job = await live.client.submitJob({
      session: names.serves,
      input: 'Tell me a story about a boat.',
      sessionOptions,
    });
    const stopping = live.client.session(names.stops);
    await reaches(names.stops, 'ready');
    await waitUntil(async () => (await job.handle.status()).phase !== 'waiting', { what: 'the job runs' });
    await live.client.startSession({ session: names.boots, ...sessionOptions });
    await reaches(names.boots, 'booting');
    await stopping.stop('asked by the test');
    await reaches(names.stops, 'stopping');

    const startAgain = await live.kill(victim);
    startAgain();

    const { output, usage } = await job.handle.result();
    expect(output).not.toBe('');
    expect(usage.outputTokens).toBeGreaterThan(0);
    for (const session of Object.values(names)) {
      const record = await live.client.session(session).result();
      expect(record.unsettled).toEqual([]);
      const pods = await live.podsOf(session);
      expect(pods).toHaveLength(1);
      const [pod] = pods;
      expect(pod?.terminatedAt).not.toBeNull();
      const livedSeconds = (Date.parse(pod?.terminatedAt ?? '') - Date.parse(pod?.createdAt ?? '')) / 1000;
      expect(Math.abs((pod?.billedSeconds ?? 0) - livedSeconds)).toBeLessThanOrEqual(1);
    }
  });
});

async function reaches(session: string, phase: SessionPhase): Promise<void> {
  await waitUntil(async () => hasReached(await live.client.session(session).status(), phase), {
    what: `session ${session} is ${phase}`,
  });
}
