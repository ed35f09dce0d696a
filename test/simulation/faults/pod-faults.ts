import type { PodMachine } from '../world/pod-machine.js';
import type { PodTraits } from '../world/pod-traits.js';
import type { World } from '../world/world.js';
import { everyClaim, thePod, withPod, type FaultKind, type Strike } from './fault.js';
import { BACK_OFF_SECONDS, SPREAD_SECONDS } from './limits.js';

const needsMachine = 'no container runs yet, or none is used any more';

const onPod = (
  name: string,
  puts: (seconds: number) => number,
  act: (machine: PodMachine, strike: Strike) => void,
  more: Partial<FaultKind> = {},
): FaultKind => ({
  name,
  phases: ['boot', ...withPod],
  elsewhere: needsMachine,
  puts,
  mayCost: thePod,
  strike: (strike) => {
    const machine = strike.world.machineOf(strike.session);
    if (machine) act(machine, strike);
    return () => machine !== undefined;
  },
  ...more,
});

/** So the session's pods come into the world, until that is taken away. */
const fromTheStart = (name: string, traits: (world: World) => Partial<PodTraits>): FaultKind => ({
  name,
  phases: ['create'],
  elsewhere: 'a machine has it from its start or not at all',
  puts: () => BACK_OFF_SECONDS,
  mayCost: everyClaim,
  strike: ({ world, session }) => {
    world.oddities.push({ session, traits: () => traits(world) });
  },
});

/** What goes wrong on the GPU machine, and what others do to it in RunPod's console. */
export const podFaults: readonly FaultKind[] = [
  onPod(
    'pod-ended-by-others',
    () => SPREAD_SECONDS,
    ({ podId }, { world }) => {
      world.cloud.act(podId, 'terminate');
    },
  ),
  onPod(
    'pod-stopped-by-others',
    () => BACK_OFF_SECONDS,
    ({ podId }, { world }) => {
      world.cloud.act(podId, 'stop');
    },
  ),
  onPod(
    'host-gone',
    () => BACK_OFF_SECONDS,
    (machine) => {
      machine.vanish();
    },
  ),
  onPod(
    'container-crash',
    () => BACK_OFF_SECONDS,
    (machine) => {
      machine.crash();
    },
  ),
  onPod(
    'gate-slow',
    (seconds) => seconds + BACK_OFF_SECONDS,
    (machine, { world, seconds }) => {
      machine.isSlow = true;
      world.later(seconds, () => {
        machine.isSlow = false;
      });
    },
    { mayCost: ['boot', 'number', 'turn'] },
  ),
  onPod(
    'connections-cut',
    () => 0,
    (machine) => {
      machine.breakFlights();
    },
    { mayCost: ['boot', 'number', 'turn'] },
  ),
  onPod(
    'token-refused',
    () => BACK_OFF_SECONDS,
    (machine) => {
      machine.refusesToken = true;
    },
    // A message, never a replacement.
    { mayCost: ['boot', 'answer'] },
  ),
  onPod(
    'switch-killed',
    () => 0,
    (machine) => {
      machine.watchdog.kill();
    },
    { mayCost: [] },
  ),
  onPod(
    'switch-broken',
    () => 0,
    (machine) => {
      machine.watchdog.breakForGood();
    },
    { mayCost: [] },
  ),
  onPod(
    'switch-unheard',
    () => 0,
    (machine) => {
      machine.watchdog.isUnheard = true;
    },
    { mayCost: [] },
  ),
  fromTheStart('pod-clock-wrong', ({ kernel }) => ({ clockSkewSeconds: kernel.pick([-86_400, -600, 600, 86_400]) })),
  fromTheStart('switch-not-armed', ({ kernel }) => ({ watchdog: kernel.pick(['unarmed', 'late'] as const) })),
  fromTheStart('model-beside-the-gpu', ({ kernel }) => ({ vramShare: kernel.random() })),
];
