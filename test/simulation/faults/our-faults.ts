import { everyClaim, everyPhase, unseen, type Claim, type FaultKind, type Strike } from './fault.js';
import {
  BACK_OFF_SECONDS,
  CALL_SECONDS,
  HEARTBEAT_SECONDS,
  LEASE_SECONDS,
  REAPER_SECONDS,
  workerGone,
} from './limits.js';

/** Some failures matter only when they last for as many minutes as others last seconds. */
const LONG = 12;
const VERY_LONG = 30;
const OFFLINE = 3;

const onWorker = (
  name: string,
  act: (strike: Strike) => void,
  puts = workerGone,
  mayCost: readonly Claim[] = unseen,
): FaultKind => ({ name, phases: everyPhase, puts, mayCost, strike: act });

/** It lasts for the strike's seconds, or for so many times them: switched on, then off for whoever is there by then. */
const lasting = (
  name: string,
  set: (strike: Strike, isOn: boolean) => void,
  puts = workerGone,
  mayCost = unseen,
  times = 1,
): FaultKind =>
  onWorker(
    name,
    (strike) => {
      set(strike, true);
      strike.world.later(strike.seconds * times, () => {
        set(strike, false);
      });
    },
    puts,
    mayCost,
  );

const severed = (to: 'api' | 'gates', { world }: Strike, isOn: boolean): void => {
  const way = isOn ? world.kernel.pick(['refused', 'silent'] as const) : 'open';
  for (const link of world.fleet.links) link[to] = way;
};

/** What happens to our own processes and to their ways. */
export const ourFaults: readonly FaultKind[] = [
  onWorker('worker-killed', ({ world, seconds }) => {
    world.fleet.killWorkers();
    world.later(seconds, () => {
      world.fleet.startWorker();
    });
  }),
  onWorker('one-of-two-workers-killed', ({ world }) => {
    world.fleet.startWorker();
    world.fleet.killOneWorker();
  }),
  onWorker('worker-frozen', ({ world, seconds }) => {
    const frozen = world.fleet.freezeWorkers();
    world.later(seconds, () => {
      for (const worker of frozen) worker.thaw();
    });
  }),
  onWorker('worker-frozen-and-replaced', ({ world, seconds }) => {
    const frozen = world.fleet.freezeWorkers();
    world.fleet.startWorker();
    // It thaws when nobody remembers it.
    world.later(seconds * 5, () => {
      for (const worker of frozen) worker.thaw();
    });
  }),
  lasting('heartbeats-lost', ({ world }, isOn) => {
    for (const worker of world.fleet.workers) worker.loseHeartbeats(isOn);
  }),
  lasting('worker-cut-from-temporal', ({ world }, isOn) => {
    for (const worker of world.fleet.workers) worker.cutFromTemporal(isOn);
  }),
  lasting(
    'worker-cut-from-runpod',
    (strike, isOn) => {
      severed('api', strike, isOn);
    },
    (seconds) => seconds + CALL_SECONDS + BACK_OFF_SECONDS,
  ),
  lasting(
    'worker-cut-from-gates',
    (strike, isOn) => {
      severed('gates', strike, isOn);
    },
    (seconds) => seconds + BACK_OFF_SECONDS + HEARTBEAT_SECONDS,
    unseen,
  ),
  // Longer than the look at a pod takes that somebody calls lost.
  lasting(
    'worker-cut-from-internet',
    (strike, isOn) => {
      severed('api', strike, isOn);
      severed('gates', strike, isOn);
    },
    (seconds) => seconds * OFFLINE + CALL_SECONDS + BACK_OFF_SECONDS,
    // Beyond its time to boot nobody knows of a pod that it serves.
    [...unseen, 'answer'],
    OFFLINE,
  ),
  lasting('temporal-unreachable', ({ world }, isOn) => {
    world.temporal.setReachable(!isOn);
  }),
  {
    name: 'temporal-does-not-describe',
    phases: everyPhase,
    // Who cannot be asked after is neither gone nor there: a lease's whole term, a whole round of the reaper.
    puts: (seconds) => seconds * LONG + LEASE_SECONDS + REAPER_SECONDS,
    // Nothing is rented as long as Temporal does not say who waits.
    mayCost: ['answer'],
    needs: 'long-work',
    strike: ({ world, seconds }) => {
      const how = world.kernel.pick(['refused', 'silent', 'unheard-of'] as const);
      world.temporal.trouble.describing = how;
      // Two looks in a row are further apart than a replica lags.
      world.later(how === 'unheard-of' ? seconds : seconds * LONG, () => {
        world.temporal.trouble.describing = 'answered';
      });
    },
  },
  {
    name: 'bad-deploy',
    phases: everyPhase,
    // What ends pods then is not the session; see the bounds.
    puts: () => 0,
    mayCost: everyClaim,
    strike: ({ world, session, seconds }) => {
      world.breakSession(session);
      world.later(seconds * VERY_LONG, () => {
        world.mendSession(session);
      });
    },
  },
  {
    name: 'all-dead',
    phases: everyPhase,
    // What ends pods then is not ours; see the bounds.
    puts: () => 0,
    mayCost: unseen,
    strike: ({ world }) => {
      world.killEverything();
    },
  },
];
