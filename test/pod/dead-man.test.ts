import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../emulator/real-pods.js';
import { isMissing } from '../support/binaries.js';
import { signalAll } from '../support/processes.js';
import { PodMachine, type RentedPod } from './rented-pod.js';

/** Scaled: idle time and grace are 2 s each, so a pod has to end 4 s after its last use; looks are 1 s apart. */
const LIMIT_MS = 4_000;
/** For a look, a request and a machine that is busy with other tests. No rule of the switch is told by so little. */
const LATE_MS = 20_000;
/** The ledger, the log of uses, the API's date and the machine's uptime are precise to a second. */
const EARLY_MS = 2_000;
/** Where a test has to use its pod in time: longer than such a machine may hold it up. */
const ROOMY = { DEVLOOP_IDLE_SECONDS: '10', DEVLOOP_GRACE_SECONDS: '2' };
const ROOMY_MS = 12_000;
/** Where idleness is not what ends the pod. */
const PATIENT = { DEVLOOP_IDLE_SECONDS: '60' };
/** To a deadline that the pod is told when it is rented: longer than its boot. */
const BOOT_SECONDS = 30;

/** A moment as the pod is told it. */
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/**
 * Does something to the pod again and again.
 * @param goesOn asked each time with when the next one would be @returns when it was begun last, in epoch milliseconds
 */
async function keepUp(
  everyMs: number,
  act: () => Promise<unknown>,
  goesOn: (nextMs: number) => boolean,
): Promise<number> {
  for (;;) {
    const begunMs = Date.now();
    await act();
    if (!goesOn(Date.now() + everyMs)) return begunMs;
    await delay(everyMs);
  }
}

function forSeconds(seconds: number): (nextMs: number) => boolean {
  const untilMs = Date.now() + seconds * 1000;
  return (nextMs) => nextMs <= untilMs;
}

/** Does something to the pod for as long as there is one. @returns when the ledger says that it ended, in epoch ms */
async function goneInSpiteOf(pod: RentedPod, everyMs: number, act: () => Promise<unknown>): Promise<number> {
  let isGone = false;
  const acting = keepUp(
    everyMs,
    () => act().catch(() => undefined),
    () => !isGone,
  );
  try {
    return await pod.gone();
  } finally {
    isGone = true;
    await acting;
  }
}

function expectAt(goneMs: number, dueMs: number): void {
  expect(goneMs - dueMs).toBeGreaterThan(-EARLY_MS);
  expect(goneMs - dueMs).toBeLessThan(LATE_MS);
}

const expectInTime = (goneMs: number, lastUseMs: number, limitMs = LIMIT_MS): void =>
  expectAt(goneMs, lastUseMs + limitMs);

describe.skipIf(isMissing('caddy'))("the dead-man's switch", { timeout: 180_000, concurrent: true }, () => {
  const machine = new PodMachine();
  beforeAll(() => machine.start());
  afterAll(() => machine.destroy());

  it('ends a pod that nobody uses, with the key of the pod', async () => {
    const pod = await machine.rent();
    await expect.poll(async () => (await pod.switch()).state, { timeout: 30_000 }).toBe('armed');
    const lastUseMs = await pod.ready();
    expectInTime(await pod.gone(), lastUseMs);
    expect((await pod.calls()).map(({ method, status }) => [method, status])).toContainEqual(['POST', 204]);
  });

  it('leaves a pod alone while an answer is on its way, however long', async () => {
    const pod = await machine.rent(ROOMY);
    await pod.ready();
    const stream = await pod.request('/stream?seconds=16');
    const text = stream.text();
    await until('the request is seen in flight', async () => (await pod.switch()).inFlight > 0 || undefined);
    expect(await text).toMatch(/done$/);
    const lastUseMs = Date.now();
    expectInTime(await pod.gone(), lastUseMs, ROOMY_MS);
  });

  it('leaves a pod alone that is touched', async () => {
    const pod = await machine.rent(ROOMY);
    await pod.ready();
    const lastUseMs = await keepUp(1000, () => pod.touch(), forSeconds(16));
    expect(await pod.isAlive()).toBe(true);
    expectInTime(await pod.gone(), lastUseMs, ROOMY_MS);
  });

  it.each([
    ['strangers without the token', (pod: RentedPod) => pod.request('/api/tags', {}, null)],
    ['strangers with a wrong token', (pod: RentedPod) => pod.request('/api/tags', {}, 'guessed')],
    [
      'whoever looks at its health or status',
      async (pod: RentedPod) => [await pod.request('/healthz'), await pod.switch()],
    ],
  ])('takes no notice of %s', async (_, knock) => {
    const pod = await machine.rent();
    const lastUseMs = await pod.ready();
    expectInTime(await goneInSpiteOf(pod, 200, () => knock(pod)), lastUseMs);
  });

  it('ends a pod that is not declared ready in time, used or not', async () => {
    const readyBy = inSeconds(BOOT_SECONDS);
    const pod = await machine.rent({ DEVLOOP_READY_BY: String(readyBy) });
    expectAt(await goneInSpiteOf(pod, 500, () => pod.touch()), readyBy * 1000);
  });

  it('ends a pod at its hard deadline, used or not', async () => {
    const deadline = inSeconds(BOOT_SECONDS);
    const pod = await machine.rent({ ...PATIENT, DEVLOOP_HARD_DEADLINE: String(deadline) });
    await pod.ready();
    expectAt(await goneInSpiteOf(pod, 500, () => pod.touch()), deadline * 1000);
  });

  it('ends a pod whose model server dies again and again', async () => {
    const pod = await machine.rent({ CRASH: '1' });
    const lastUseMs = await pod.ready();
    expectInTime(await pod.gone(), lastUseMs);
  });

  it.each(['dead-man.sh', 'entrypoint.sh'])('ends a pod in time whose %s processes are killed', async (program) => {
    const pod = await machine.rent();
    const lastUseMs = await pod.ready();
    // Not the first process: that is the container's end, see below.
    const [first] = pod.pids('entrypoint.sh');
    const kill = async (): Promise<void> => {
      signalAll(
        pod.pids(program).filter((pid) => pid !== first),
        'SIGKILL',
      );
    };
    await keepUp(700, kill, forSeconds(3));
    expectInTime(await pod.gone(), lastUseMs);
  });

  it('knows nothing of a use after the container was started anew without a volume, but when it had to be ready', async () => {
    const readyBy = inSeconds(2 * BOOT_SECONDS);
    const pod = await machine.rent({ DEVLOOP_IDLE_SECONDS: '90', DEVLOOP_READY_BY: String(readyBy) });
    await pod.ready();
    expect(await pod.account.act(pod.id, 'restart')).toBeLessThan(300);
    expectAt(await pod.gone(), readyBy * 1000);
  });

  it('starts no clock anew when the container is started anew', async () => {
    const scaled = { DEVLOOP_IDLE_SECONDS: '38', DEVLOOP_GRACE_SECONDS: '2' };
    const pod = await machine.rent(scaled, { mounts: { network: [{ volumeId: 'vol', path: '/workspace' }] } });
    const lastUseMs = await pod.ready();
    await delay(LATE_MS + 2_000);
    expect(await pod.account.act(pod.id, 'restart')).toBeLessThan(300);
    expectAt(await pod.gone(), lastUseMs + 40_000);
  });

  it.each(['86400', '-86400'])("goes by the API's time when the pod's clock is off by %s s", async (shift) => {
    const deadline = inSeconds(BOOT_SECONDS);
    const pod = await machine.rent({ ...PATIENT, SHIFT: shift, DEVLOOP_HARD_DEADLINE: String(deadline) });
    await pod.ready();
    const { seenAt } = await until('it has looked', async () => {
      const seen = await pod.switch();
      return seen.ready ? seen : undefined;
    });
    expect(Math.abs(seenAt * 1000 - Date.now())).toBeLessThan(LATE_MS);
    expectAt(await goneInSpiteOf(pod, 500, () => pod.touch()), deadline * 1000);
  });

  it.each([
    ['accepts the call and ends nothing', { kind: 'delete-no-effect', times: 2 }],
    ['fails', { kind: 'server-error', times: 4 }],
    ['is called too often', { kind: 'rate-limited', times: 4 }],
    ['knows no such pod', { kind: 'delete-404', times: 4 }],
    ['cuts the connection', { kind: 'connection-cut', times: 4 }],
  ])('tries again when the API %s', async (_, fault) => {
    const pod = await machine.rent();
    await machine.emulator.fault({ ...fault, match: { podId: pod.id, operation: 'terminate' } });
    await pod.ready();
    await pod.gone();
    expect((await pod.calls()).length).toBeGreaterThan(2);
  });

  it.each([
    ['refused', 'delete-404'],
    ['accepted in vain', 'delete-no-effect'],
  ])('falls back on DELETE when its first way out is always %s', async (_, kind) => {
    const pod = await machine.rent();
    await machine.emulator.fault({ kind, times: 1000, match: { podId: pod.id, method: 'POST' } });
    await pod.ready();
    await pod.gone();
    expect((await pod.calls()).map(({ method }) => method)).toEqual(expect.arrayContaining(['POST', 'DELETE']));
    expect((await pod.calls()).at(-1)).toMatchObject({ method: 'DELETE', status: 204 });
  });

  it('tries until the API is back', async () => {
    const own = new PodMachine();
    try {
      await own.start();
      const pod = await own.rent(ROOMY);
      await pod.ready();
      await own.emulator.kill9();
      await delay(ROOMY_MS + 4_000);
      expect(pod.pids('dead-man.sh')).not.toEqual([]);
      await own.start();
      await pod.gone();
    } finally {
      await own.destroy();
    }
  });

  it('shows its key to no other process', async () => {
    const pod = await machine.rent();
    await machine.emulator.fault({ kind: 'hang', times: 1, match: { podId: pod.id, operation: 'terminate' } });
    await pod.ready();
    const [curl] = await until('the call hangs', () => {
      const pids = pod.pids('/action');
      return pids.length > 0 ? pids : undefined;
    });
    const key = /RUNPOD_API_KEY=([^\0]+)/.exec(readFileSync(`/proc/${curl}/environ`, 'utf8'))?.[1];
    expect(key).toMatch(/.{8}/);
    expect(readFileSync(`/proc/${curl}/cmdline`, 'utf8')).not.toContain(key);
    await pod.gone();
  });
});
