import { parsePodName, type PodNameParts } from '../../../src/contract/index.js';
import type { World } from '../world/world.js';
import { fault, job, podsOfOwner, session, type Scene } from './scene.js';

/** One look at the list while a pod boots, and the call. */
const SEEN_SECONDS = 20;
const SLOW_BOOT_SECONDS = 50;
/** A create that is never answered, and the look before the next attempt. */
const GIVEN_UP_SECONDS = 70;
/** What RunPod's list may hide. */
const LONGEST_LAG_SECONDS = 45;

/** A pod of a create that seemed to have failed shows while the next one boots. */
const latecomer: Scene = {
  name: 'latecomer',
  sessions: () => [session({}, { jobs: [job('works', { at: 0, runs: 120 })] })],
  faults: () => [fault('create-500-created', 'create', 0)],
  weather: (kernel) => ({ listLagSeconds: kernel.integer(12, 18) }),
  play: (world) => {
    // The boot takes longer than the list lags.
    world.cloud.fault({ kind: 'proxy-524', forSeconds: SLOW_BOOT_SECONDS });
    return () => twinsLongerThan(world, world.weather.listLagSeconds + SEEN_SECONDS);
  },
};

/** Both are there to be seen when one of them is adopted. */
const twinsAtAdoption: Scene = {
  name: 'twins-at-adoption',
  sessions: () => [session({ guard: 'none' }, { jobs: [job('works', { at: 0, runs: 250 })] })],
  faults: () => [fault('create-500-created', 'create', 0), fault('create-timeout-created', 'create', 0)],
  weather: (kernel) => ({ listLagSeconds: kernel.integer(12, 18) }),
  play: (world) => () => twinsLongerThan(world, GIVEN_UP_SECONDS + SEEN_SECONDS),
};

/** It shows when nobody boots any more, and has no switch. */
const hiddenTwin: Scene = {
  name: 'hidden-twin',
  sessions: () => [session({ guard: 'none' }, { jobs: [job('works', { at: 0, runs: 450 })] })],
  faults: () => [fault('create-500-created', 'create', 0)],
  weather: () => ({ listLagSeconds: LONGEST_LAG_SECONDS }),
};

function twinsLongerThan(world: World, seconds: number): string[] {
  const ours = podsOfOwner(world);
  return ours.flatMap((one, i) =>
    ours.slice(i + 1).flatMap((other) => {
      const untilMs = Math.min(one.terminatedAtMs ?? Infinity, other.terminatedAtMs ?? Infinity);
      const together = Math.round((untilMs - Math.max(one.createdAtMs, other.createdAtMs)) / 1000);
      return together > seconds ? [`pods ${one.id} and ${other.id} were there together for ${together} s`] : [];
    }),
  );
}

/** A session is terminated and started again while its old pod is there. */
const startedAgain: Scene = {
  name: 'started-again',
  sessions: (kernel) => [
    session(
      { guard: 'none', idleTimeoutSeconds: 150 },
      { starts: [0, kernel.between(45, 50)], jobs: [job('works', { at: 51, runs: 300 })] },
    ),
  ],
  faults: (kernel) => [fault('session-terminated', 'idle', kernel.between(10, 25))],
  play: (world) => {
    const findings: string[] = [];
    world.cloud.podWatchers.push((news, { name, podId, askers }) => {
      const parts = parsePodName(name);
      if (news === 'use-begins' && askers.length > 0 && parts && !isCurrent(world, parts))
        findings.push(`${askers.join(' and ')} began to work on pod ${podId} of a session that had ended`);
    });
    return () => findings;
  },
};

function isCurrent({ temporal }: World, { firstRunId }: PodNameParts): boolean {
  return temporal.executions().some((run) => run.firstRunId === firstRunId && run.status === 'RUNNING');
}

export const twinScenes: readonly Scene[] = [latecomer, twinsAtAdoption, hiddenTwin, startedAgain];
