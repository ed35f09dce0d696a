import type { PodRecord } from '../../../emulator/core/pod.js';
import { parsePodName } from '../../../src/contract/index.js';
import type { World } from '../world/world.js';
import { fault, job, NAME, onListing, podsOfOwner, session, type Scene } from './scene.js';

/** Longer than all looks that follow an ambiguous create. */
const HIDDEN_SECONDS = [30, 45] as const;
/** The same after a create that was never answered: a call may take a minute. */
const HIDDEN_AFTER_TIMEOUT_SECONDS = 90;
/** A pod that may have come of a create is looked for so often before another one is asked for. */
const LOOKS = 4;
const MINUTE_MS = 60_000;
/** Of the account's quota in a window, in requests: planning and a look at the list leave nothing for a create. */
const TINY_QUOTA = 3;
const QUOTA_BEYOND_MINUTES = { hour: 100_000, day: 1_000_000 };

/** A create that may have worked, and a pod that the list does not show for a while. */
const hiddenPod: Scene = {
  name: 'hidden-pod',
  sessions: () => [session({}, { jobs: [job('works', { at: 0, runs: 200 })] })],
  faults: (kernel) => [fault(kernel.pick(['create-500-created', 'create-timeout-created']), 'create', 0)],
  weather: () => ({ listLagSeconds: HIDDEN_AFTER_TIMEOUT_SECONDS }),
  play: (world) => {
    const looks: number[] = [];
    let listed = 0;
    onListing(world, () => {
      listed += 1;
    });
    world.cloud.callWatchers.push(({ isCreate }) => {
      if (isCreate) looks.push(listed);
    });
    return () =>
      looks.slice(1).flatMap((seen, i) => {
        const times = seen - looks[i]!;
        return times >= LOOKS ? [] : [`another pod was asked for after ${times} looks at the list`];
      });
  },
};

/** The same, and then RunPod refuses what is asked for next: the session must not take that for "nothing was rented". */
const hiddenThenRefused: Scene = {
  name: 'hidden-then-refused',
  sessions: () => [session({})],
  faults: () => [fault('create-500-created', 'create', 0)],
  weather: (kernel) => ({ listLagSeconds: Math.round(kernel.between(...HIDDEN_SECONDS)) }),
  play: (world) => {
    const { cloud, kernel } = world;
    let isFirst = true;
    cloud.callWatchers.push(({ isCreate }) => {
      if (!isCreate || !isFirst) return;
      isFirst = false;
      world.later(0.5, () => {
        if (kernel.chance(0.5)) cloud.fault({ kind: 'no-balance', times: 3 });
        else cloud.fault({ kind: 'bad-key', forSeconds: kernel.between(3, 15) });
      });
    });
  },
};

/** A create waits for the quota's next window, and its process is frozen meanwhile. */
const frozenInLine: Scene = {
  name: 'frozen-in-line',
  sessions: () => [session({ readyTimeoutSeconds: 120 })],
  faults: (kernel) => [
    fault('worker-frozen-and-replaced', 'create', kernel.between(5, 40), Math.round(kernel.between(20, 45))),
  ],
  play: (world) => {
    quota(world, TINY_QUOTA);
  },
};

/** The same, and its session ends just before the window comes. */
const endedInLine: Scene = {
  name: 'ended-in-line',
  // Heartbeats come every 2.5 s from the start on: the end is told of between two of them.
  sessions: (kernel) => [session({ readyTimeoutSeconds: 120 }, { starts: [kernel.between(0, 2)] })],
  play: (world) => {
    quota(world, TINY_QUOTA);
    const { kernel, users } = world;
    const windowMs = Math.ceil((kernel.nowMs + 1) / MINUTE_MS) * MINUTE_MS;
    world.later((windowMs - kernel.nowMs) / 1000 - kernel.between(0.3, 0.9), () => {
      void users.onSession(NAME, 'terminate');
    });
  },
};

function quota({ cloud }: World, minute: number): void {
  cloud.settings({ quota: { minute, ...QUOTA_BEYOND_MINUTES } });
}

/** The only job that waits is gone before RunPod lets anybody rent. */
const nobodyWaitsAnyMore: Scene = {
  name: 'nobody-waits-any-more',
  sessions: () => [session({}, { starts: [], jobs: [job('waits', { at: 0, runs: 60 })] })],
  play: (world) => {
    const { cloud, kernel, users } = world;
    let rented = 0;
    cloud.callWatchers.push(({ isCreate }) => {
      if (isCreate) rented += 1;
    });
    cloud.fault({ kind: 'server-error', forSeconds: kernel.between(15, 30), match: { operation: 'list' } });
    world.later(kernel.between(3, 10), () => void users.onJob(`${NAME}-waits`, kernel.pick(['cancel', 'terminate'])));
    return () => (rented > 0 ? ['a pod was rented although the only job that waited for it was gone'] : []);
  },
};

const RENTING = 9;
const ENDING = 3;
/** Of an account on which so many cannot boot in one window. */
const SHORT_QUOTA = 20;

/** More pods boot than the quota lets, while others have to be ended. */
const crowded: Scene = {
  name: 'crowded',
  sessions: (kernel) =>
    Array.from({ length: ENDING + RENTING }, (_, i) => {
      const starts = [i < ENDING ? 5 * i : MINUTE_MS / 1000 + kernel.between(0, 2)];
      // By then the others have used up what they may of the window.
      const stopAt = i < ENDING ? MINUTE_MS / 1000 + kernel.between(10, 30) : undefined;
      return session({ idleTimeoutSeconds: 120 }, { starts, stopAt }, `s${i}`);
    }),
  play: (world) => {
    quota(world, SHORT_QUOTA);
  },
};

const BOOTING = 5;
const BOOTS_SECONDS = 50;
/** One for each pod before it is rented, one every ten seconds for all that boot, the reaper's. */
const MOST_LISTINGS = BOOTING + BOOTS_SECONDS / 10 + 4;

/** Many pods boot at once, for long: one listing tells of all. */
const bootingTogether: Scene = {
  name: 'booting-together',
  sessions: (kernel) =>
    Array.from({ length: BOOTING }, (_, i) =>
      session({ readyTimeoutSeconds: 55 }, { starts: [kernel.between(0, 2)] }, `s${i}`),
    ),
  play: (world) => {
    world.cloud.fault({ kind: 'boot-stuck', times: BOOTING });
    let listings = 0;
    const untilMs = world.kernel.nowMs + BOOTS_SECONDS * 1000;
    onListing(world, () => {
      if (world.kernel.nowMs < untilMs) listings += 1;
    });
    return () =>
      listings > MOST_LISTINGS
        ? [
            `${BOOTING} boots have read the list ${listings} times in ${BOOTS_SECONDS} s, where ${MOST_LISTINGS} will do`,
          ]
        : [];
  },
};

/** RunPod's prices change, and a session that a budget ends is taken back to before it knew what it had rented. */
const resetAtAnotherPrice: Scene = {
  name: 'reset-at-another-price',
  sessions: (kernel) => [
    session({ maxCostUsd: kernel.between(0.08, 0.15) }, { jobs: [job('works', { at: 0, runs: 120 })] }),
  ],
  play: (world) => {
    const { cloud, kernel } = world;
    world.later(kernel.between(20, 60), () => {
      cloud.settings({ gpus: { 'NVIDIA GeForce RTX 4090': { securePriceUsd: kernel.between(0.7, 0.9) } } });
      world.reset(NAME, 0);
    });
  },
};

const SLACK_SECONDS = 30;
/** Of the emulator's RTX 4090, an hour. */
const PRICE_USD = 0.69;

/** A pod that does not end goes on costing while the next one serves: the budget is for both. */
const budgetForTwo: Scene = {
  name: 'budget-for-two',
  sessions: (kernel) => [
    session(
      { maxCostUsd: kernel.between(0.08, 0.11), idleTimeoutSeconds: 20, drainSeconds: 0 },
      { jobs: [job('late', { at: kernel.between(180, 200), runs: 400, timeout: 300 })] },
    ),
  ],
  faults: () => [fault('never-ends', 'serve', 0), fault('never-ends', 'idle', 0)],
  play: (world) => () => overBudget(world),
};

/** What the session's pods have cost when the last of them was ended that RunPod ends. */
function overBudget(world: World): string[] {
  const runOf = ({ name }: Readonly<PodRecord>): string | undefined => parsePodName(name)?.firstRunId;
  const pods = podsOfOwner(world);
  return [...new Set(pods.map(runOf))].flatMap((run) => {
    const its = pods.filter((pod) => runOf(pod) === run);
    const lastMs = Math.max(...its.map(({ id }) => world.cloud.machines.get(id)?.lastUseEndMs ?? 0));
    const usd = its.reduce((sum, { createdAtMs, terminatedAtMs }) => {
      const costsMs = Math.max(0, Math.min(terminatedAtMs ?? lastMs, lastMs) - createdAtMs);
      return sum + (costsMs / 3_600_000) * PRICE_USD;
    }, 0);
    const mostUsd = world.budgetUsdOf(NAME) + (its.length * SLACK_SECONDS * PRICE_USD) / 3600;
    return usd > mostUsd ? [`session ${NAME} worked on until $${usd.toFixed(3)} were spent, of $${mostUsd}`] : [];
  });
}

export const rentScenes: readonly Scene[] = [
  hiddenPod,
  hiddenThenRefused,
  frozenInLine,
  endedInLine,
  nobodyWaitsAnyMore,
  crowded,
  bootingTogether,
  resetAtAnotherPrice,
  budgetForTwo,
];
