import { setTimeout as delay } from 'node:timers/promises';
import type { LedgerPod } from '../support/emulator.js';
import { waitUntil } from '../support/processes.js';
import { DELETES_IN_VAIN, type ChaosConfig } from './bounds.js';
import type { ChaosStack } from './chaos-stack.js';
import type { Phase } from './failures.js';
import { phaseAt } from './judge.js';
import type { RunSession } from './run-session.js';

const STAGE_MS = 120_000;
/** From a submitted job to its pod, as a rule: only how near the strike comes to its planned moment depends on it. */
const RENT_MS = 1200;
/** A quick machine has a pod so soon after the job was taken. */
const CREATE_MS = 150;
/** Up to this moment of its boot a pod is struck while it starts, later while its model server loads, which is held. */
const EARLY_BOOT = 0.5;
/** A stop is asked for once the job is over, else it would be a drain. */
const RELEASE_BEFORE_STOP_MS = 1000;

/** How long before the strike a session enters its phase: `moment` of the time that the phase lasts. */
function leadMs(phase: Phase, moment: number, { idleSeconds, drainSeconds }: ChaosConfig): number {
  switch (phase) {
    case 'create':
      return moment * CREATE_MS;
    case 'boot':
      return moment < EARLY_BOOT ? RENT_MS + moment * 4000 : 0;
    case 'serve':
      return 0;
    case 'idle':
      return 300 + moment * (idleSeconds - 4) * 1000;
    case 'drain':
      return 200 + moment * (drainSeconds - 4) * 1000;
    case 'stop':
      // RunPod takes DELETEs in vain, and is looked at again 5 s after the second and the third.
      return 200 + moment * 6000;
  }
}

export const podsOf = (ledger: readonly LedgerPod[], session: string): LedgerPod[] =>
  ledger.filter(({ name }) => name.split('.')[2] === session);

/**
 * Brings every session into its planned phase at one moment. Resolves at that moment.
 * @param quiet that moment does not come before it: nobody else is to be struck
 */
export async function stage(
  stack: ChaosStack,
  sessions: readonly RunSession[],
  config: ChaosConfig,
  quiet: Promise<void>,
): Promise<void> {
  const held = sessions.filter(({ planned: { phase } }) => phase !== 'create' && phase !== 'boot');
  for (const session of held) {
    if (session.planned.phase === 'stop') await refuseDeletes(stack, session.name);
    await session.submit(true);
  }
  await untilAllServe(stack, held);
  await quiet;
  const booting = sessions.filter(({ planned: { phase } }) => phase === 'boot');
  for (const session of booting) stack.models.holdLoading(session.name);
  const late = booting.filter(({ planned: { moment } }) => moment >= EARLY_BOOT);
  for (const session of late) await session.submit(false);
  await allRented(stack, late);
  const leads = sessions.map(({ planned: { phase, moment } }) => leadMs(phase, moment, config));
  const strikeMs = Date.now() + Math.max(...leads) + RELEASE_BEFORE_STOP_MS + 200;
  await Promise.all(
    sessions.map(async (session, at) => {
      const { phase } = session.planned;
      if (phase === 'create') return;
      const enterMs = strikeMs - leads[at]!;
      if (phase === 'stop') {
        await until(enterMs - RELEASE_BEFORE_STOP_MS);
        session.release();
      }
      await until(enterMs);
      if (phase === 'boot' && !late.includes(session)) await session.submit(false);
      if (phase === 'idle') session.release();
      if (phase === 'drain' || phase === 'stop') await session.askToStop();
    }),
  );
  await until(strikeMs);
  await allRented(stack, booting);
  for (const [at, session] of sessions.entries()) {
    if (session.planned.phase !== 'create') continue;
    await session.submit(false);
    await delay(leads[at]);
  }
}

const until = (atMs: number): Promise<void> => delay(Math.max(0, atMs - Date.now()));

async function refuseDeletes(stack: ChaosStack, session: string): Promise<void> {
  const match = { operation: 'terminate', podName: `.${session}.` };
  await stack.account.fault({ kind: 'delete-no-effect', times: DELETES_IN_VAIN, match });
}

async function untilAllServe(stack: ChaosStack, sessions: readonly RunSession[]): Promise<void> {
  const names = sessions.map(({ name }) => name).join(', ');
  await waitUntil(
    async () => {
      const ledger = await stack.account.ledger();
      const notes = stack.models.notes();
      return sessions.every(
        ({ name, facts }) => phaseAt(podsOf(ledger ?? [], name), notes, facts, Date.now()) === 'serve',
      );
    },
    { timeoutMs: STAGE_MS, what: `jobs are served: ${names}`, everyMs: 200 },
  );
}

async function allRented(stack: ChaosStack, sessions: readonly RunSession[]): Promise<void> {
  await waitUntil(
    async () => {
      const ledger = await stack.account.ledger();
      return sessions.every(({ name }) => podsOf(ledger ?? [], name).length > 0);
    },
    { timeoutMs: STAGE_MS, what: `pods for ${sessions.map(({ name }) => name).join(', ')}`, everyMs: 100 },
  );
}
