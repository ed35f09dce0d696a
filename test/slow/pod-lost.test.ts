import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EMULATOR_KEY } from '../../src/embedded/index.js';
import type { LedgerPod } from '../support/emulator.js';
import { LiveStack } from '../support/live-stack.js';
import { waitUntil } from '../support/processes.js';

let live: LiveStack;

beforeAll(async () => {
  live = await LiveStack.start();
});

afterAll(() => live.stop());

const isAlive = ({ terminatedAt }: LedgerPod): boolean => terminatedAt === null;

/** Somebody else ends a pod, as a person in RunPod's console does. */
async function endedBySomebody(podId: string): Promise<void> {
  const headers = { authorization: `Bearer ${EMULATOR_KEY}` };
  const { status } = await fetch(`${live.stack.info.emulatorUrl}/v2/pods/${podId}`, { method: 'DELETE', headers });
  expect(status).toBeLessThan(300);
}

describe('a pod that somebody else ends under a job', () => {
  it('is replaced within the session: the job answers from the second pod, and both are paid to their end only', async () => {
    const session = 'loses-it';
    const input = 'Tell a very long story about a river, in many words.';
    await live.client.startSession({ session, idleTimeoutSeconds: 30 });
    for await (const { phase } of live.client.session(session).watch()) if (phase === 'ready') break;
    const [first] = await live.podsOf(session);
    // Its answer is not given before the pod is ended.
    live.freezePods();
    const { handle } = await live.client.submitJob({ session, input });
    await waitUntil(async () => (await handle.status()).phase === 'running', { what: 'the job runs' });
    await endedBySomebody(first!.id);
    const { podId } = await handle.result();
    expect(podId).not.toBe(first!.id);
    const record = await live.client.session(session).result();
    expect(record.pods.map(({ id }) => id)).toEqual([first!.id, podId]);
    const pods = await live.podsOf(session);
    expect(pods).toHaveLength(2);
    expect(pods.filter(isAlive)).toEqual([]);
    expect(record.stopReason).toMatch(/^idle for 30 s/);
  });
});
