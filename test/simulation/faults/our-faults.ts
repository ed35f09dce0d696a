import { everyPhase, type FaultKind, type Strike } from './fault.js';
import { BACK_OFF_SECONDS, CALL_SECONDS, HEARTBEAT_SECONDS, workerGone } from './limits.js';

const onWorker = (name: string, act: (strike: Strike) => void, puts = workerGone): FaultKind => ({
  name,
  phases: everyPhase,
  puts,
  endsUses: true,
  strike: act,
});

/** It lasts for the strike's seconds: switched on, then off for whoever is there by then. */
const lasting = (name: string, set: (strike: Strike, isOn: boolean) => void, puts = workerGone): FaultKind =>
  onWorker(
    name,
    (strike) => {
      set(strike, true);
      strike.world.later(strike.seconds, () => {
        set(strike, false);
      });
    },
    puts,
  );

const severed = (to: 'api' | 'gates', { world }: Strike, isOn: boolean): void => {
  const way = isOn ? world.kernel.pick(['refused', 'silent'] as const) : 'open';
  for (const link of world.links) link[to] = way;
};

/** What happens to our own processes and to their ways. */
export const ourFaults: readonly FaultKind[] = [
  onWorker('worker-killed', ({ world, seconds }) => {
    world.killWorkers();
    world.later(seconds, () => {
      world.startWorker();
    });
  }),
  onWorker('one-of-two-workers-killed', ({ world }) => {
    world.startWorker();
    world.killOneWorker();
  }),
  onWorker('worker-frozen', ({ world, seconds }) => {
    const frozen = world.freezeWorkers();
    world.later(seconds, () => {
      for (const worker of frozen) worker.thaw();
    });
  }),
  onWorker('worker-frozen-and-replaced', ({ world, seconds }) => {
    const frozen = world.freezeWorkers();
    world.startWorker();
    // It thaws when nobody remembers it.
    world.later(seconds * 5, () => {
      for (const worker of frozen) worker.thaw();
    });
  }),
  lasting('heartbeats-lost', ({ world }, isOn) => {
    for (const worker of world.workers) worker.loseHeartbeats(isOn);
  }),
  lasting('worker-cut-from-temporal', ({ world }, isOn) => {
    for (const worker of world.workers) worker.cutFromTemporal(isOn);
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
  ),
  lasting('temporal-unreachable', ({ world }, isOn) => {
    world.temporal.setReachable(!isOn);
  }),
  {
    name: 'all-dead',
    phases: everyPhase,
    // What ends pods then is not ours; see the bounds.
    puts: () => 0,
    endsUses: true,
    strike: ({ world }) => {
      world.killEverything();
    },
  },
];
