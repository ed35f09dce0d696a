import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveStack } from '../support/live-stack.js';
import { waitUntil } from '../support/processes.js';

/** Scaled: a user's idle time is minutes. The grace is the real one, and so is the bound that it gives. */
const IDLE_SECONDS = 20;
const GRACE_SECONDS = 120;
/** A look of the switch, its request and RunPod's own time to end a pod. */
const LATE_SECONDS = 30;

let live: LiveStack;

beforeAll(async () => {
  live = await LiveStack.start();
});

afterAll(async () => {
  await live.stop();
});

describe('worker and Temporal killed and never started again', () => {
  it('leave a pod to its own switch: gone within idle time + 120 s by the ledger', async () => {
    const session = 'orphaned';
    const sessionOptions = { idleTimeoutSeconds: IDLE_SECONDS };
    const { handle } = await live.client.submitJob({ session, input: 'Say hello to the world.', sessionOptions });
    await handle.result();
    const lastUseMs = Date.now();
    await live.kill('worker');
    await live.kill('temporal');
    expect((await live.podsOf(session)).map(({ terminatedAt }) => terminatedAt)).toEqual([null]);

    await waitUntil(async () => (await live.podsOf(session)).every(({ terminatedAt }) => terminatedAt !== null), {
      timeoutMs: (IDLE_SECONDS + GRACE_SECONDS + 2 * LATE_SECONDS) * 1000,
      what: "the pod's end by its own switch",
    });
    const [pod] = await live.podsOf(session);
    const extraSeconds = (Date.parse(pod!.terminatedAt!) - lastUseMs) / 1000;
    process.stdout.write(`all dead: the pod was billed for ${extraSeconds.toFixed(1)} s after its last use\n`);
    expect(extraSeconds).toBeGreaterThan(IDLE_SECONDS);
    expect(extraSeconds).toBeLessThan(IDLE_SECONDS + GRACE_SECONDS + LATE_SECONDS);
  });
});
