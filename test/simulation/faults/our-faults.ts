import { everyPhase, type FaultKind, type Strike } from './fault.js';
import { BACK_OFF_SECONDS, CALL_SECONDS, HEARTBEAT_SECONDS, workerGone } from './limits.js';

const onWorker = (name: string, act: (strike: Strike) => void, puts = workerGone): FaultKind => ({
  name,
  phases: everyPhase,
  puts,
  endsUses: true,
  strike: act,
});

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
  onWorker('heartbeats-lost', ({ world, seconds }) => {
    for (const worker of world.workers) worker.loseHeartbeats(true);
    world.later(seconds, () => {
      for (const worker of world.workers) worker.loseHeartbeats(false);
    });
  }),
  onWorker('worker-cut-from-temporal', ({ world, seconds }) => {
    for (const worker of world.workers) worker.cutFromTemporal(true);
    world.later(seconds, () => {
      for (const worker of world.workers) worker.cutFromTemporal(false);
    });
  }),
  onWorker(
    'worker-cut-from-runpod',
    ({ world, seconds }) => {
      const way = world.kernel.pick(['refused', 'silent'] as const);
      for (const link of world.links) link.api = way;
      world.later(seconds, () => {
        for (const link of world.links) link.api = 'open';
      });
    },
    (seconds) => seconds + CALL_SECONDS + BACK_OFF_SECONDS,
  ),
  onWorker(
    'worker-cut-from-gates',
    ({ world, seconds }) => {
      const way = world.kernel.pick(['refused', 'silent'] as const);
      for (const link of world.links) link.gates = way;
      world.later(seconds, () => {
        for (const link of world.links) link.gates = 'open';
      });
    },
    (seconds) => seconds + BACK_OFF_SECONDS + HEARTBEAT_SECONDS,
  ),
  onWorker('temporal-unreachable', ({ world, seconds }) => {
    world.temporal.setReachable(false);
    world.later(seconds, () => {
      world.temporal.setReachable(true);
    });
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
