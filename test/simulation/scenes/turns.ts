import { jobsOf } from '../invariants/truth.js';
import type { World } from '../world/world.js';
import { fault, holder, job, NAME, session, type Scene } from './scene.js';

const IDLE_SECONDS = 60;
/** Nobody is granted anything until a worker is there again. */
const BEGINS_WITHIN_MS = 2_000;
/** A message is under way for so long. */
const HEARD_WITHIN_MS = 2_000;

/** Somebody leaves the pod alone for longer than its idle time, and a job waits for it. */
const behindAForgottenLease: Scene = {
  name: 'behind-a-forgotten-lease',
  sessions: (kernel) => [
    session(
      { idleTimeoutSeconds: IDLE_SECONDS },
      {
        jobs: [job('waits', { at: kernel.between(30, 50), runs: kernel.between(5, 30) })],
        // The pod's own switch would not wait for longer.
        holders: [holder({ at: 0, uses: kernel.between(IDLE_SECONDS + 20, IDLE_SECONDS + 90), idles: true })],
      },
    ),
  ],
};

/** A pod is lost under one job while another waits for it. */
const lostWithAQueue: Scene = {
  name: 'lost-with-a-queue',
  sessions: (kernel) => [
    session(
      {},
      {
        jobs: [
          job('works', { at: 0, runs: kernel.between(200, 250) }),
          job('waits', { at: kernel.between(40, 70), runs: kernel.between(20, 40) }),
        ],
      },
    ),
  ],
  faults: (kernel) => [
    fault(
      kernel.pick(['host-gone', 'pod-ended-by-others', 'pod-stopped-by-others']),
      'serve',
      kernel.between(100, 150),
    ),
  ],
};

/** A job that has lost so many gives up. */
const MOST_LOST_PODS = 2;

/** No pod serves for as long as the job takes. */
const noPodLasts: Scene = {
  name: 'no-pod-lasts',
  sessions: (kernel) => [
    session({}, { starts: [], jobs: [job('unlucky', { at: 0, runs: kernel.between(100, 400) })] }),
  ],
  weather: () => ({ isFrail: true }),
  play: (world) => {
    const { cloud, kernel } = world;
    const rentedMs: number[] = [];
    cloud.callWatchers.push(({ isCreate }) => {
      if (isCreate) rentedMs.push(kernel.nowMs);
    });
    return () => {
      const used = [...cloud.machines.values()].filter(({ begunAtMs }) => begunAtMs.size > 0);
      if (used.length > MOST_LOST_PODS) return [`a job went on after losing ${MOST_LOST_PODS} pods`];
      const endedMs = jobsOf(world).map(({ closedAtMs = Infinity }) => closedAtMs);
      const isInVain = rentedMs.some((atMs) => endedMs.every((endMs) => atMs > endMs + HEARD_WITHIN_MS));
      return isInVain ? ['a pod was rented in place of a lost one when the only job had given up'] : [];
    };
  },
};

/** A job's connection breaks, and the pod's gate takes long to answer: it lives, and nobody may take it for lost. */
const slowAfterACut: Scene = {
  name: 'slow-after-a-cut',
  sessions: () => [session({}, { jobs: [job('works', { at: 0, runs: 150 })] })],
  faults: (kernel) => {
    const afterSeconds = kernel.between(20, 60);
    return [fault('connections-cut', 'serve', afterSeconds), fault('gate-slow', 'serve', afterSeconds, 60)];
  },
};

/** No worker is there when the end is asked for, and right after it somebody gives a lease back for which a job waits. */
const stopThenRelease: Scene = {
  name: 'stop-then-release',
  sessions: (kernel) => [
    session(
      { drainSeconds: 60 },
      {
        jobs: [job('waits', { at: kernel.between(25, 35), runs: kernel.between(20, 40) })],
        holders: [holder({ at: 0, uses: 300, dies: true })],
      },
    ),
  ],
  play: (world) => {
    unheard(world, () => void world.users.giveBack(NAME, `${NAME}-external`));
    return () => begunAfterTheStop(world);
  },
};

/** The same, and right after it somebody asks for the pod. */
const stopThenRequest: Scene = {
  name: 'stop-then-request',
  sessions: () => [
    session({ drainSeconds: 60, maxConcurrentLeases: 2 }, { jobs: [job('works', { at: 0, runs: 200 })] }),
  ],
  play: (world) => {
    const granted: string[] = [];
    unheard(world, () => {
      void world.users.ask(NAME, { leaseId: 'latecomer', hold: false }).then((grant) => {
        if (grant) granted.push(grant.podId);
      });
    });
    return () => granted.map((podId) => `pod ${podId} was granted after its session was asked to stop`);
  },
};

/** The end is asked for, and what comes right after it, between the death of one worker and the start of the next. */
function unheard(world: World, next: () => void): void {
  const atSeconds = world.kernel.between(60, 80);
  world.later(atSeconds, () => {
    world.fleet.killWorkers();
  });
  world.later(atSeconds + 1, () => void world.users.stop(NAME));
  world.later(atSeconds + 2, next);
  world.later(atSeconds + 4, () => {
    world.fleet.startWorker();
  });
}

/** On the pod that is to be ended. */
function begunAfterTheStop({ cloud, users }: World): string[] {
  const [stop] = users.stopsAsked;
  const [first] = cloud.machines.values();
  if (!stop || !first) return [];
  return [...first.begunAtMs]
    .filter(([, atMs]) => atMs > stop.atMs + BEGINS_WITHIN_MS)
    .map(([asker]) => `${asker} began to work on pod ${first.podId} after its session was asked to stop`);
}

export const turnScenes: readonly Scene[] = [
  behindAForgottenLease,
  lostWithAQueue,
  noPodLasts,
  slowAfterACut,
  stopThenRelease,
  stopThenRequest,
];
