import { maybeGetActivator } from '@temporalio/workflow/lib/global-attributes.js';
import { seededRandom } from '../../../../emulator/core/random.js';
import type { Kernel } from '../../kernel/kernel.js';

const RealDate = globalThis.Date;
const realRandom = Math.random;
/** Libraries draw from dice of their own: what they do must not shift the world's luck. */
const LIBRARY_DICE = 0x5eed;

/**
 * From now on `Date` and `Math.random` are those of a world, until the returned function is called. While workflow code
 * runs they are its task's: the time of the task's start, and dice that a replay throws alike.
 */
export function installGlobals(kernel: Kernel): () => void {
  const dice = seededRandom(kernel.seed ^ LIBRARY_DICE);
  const now = (): number => maybeGetActivator()?.now ?? Math.floor(kernel.nowMs);
  const construct = (target: DateConstructor, args: unknown[], newTarget: DateConstructor): object =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object;
  globalThis.Date = new Proxy(RealDate, {
    construct,
    apply: () => new RealDate(now()).toString(),
    get: (target, property, receiver): unknown =>
      property === 'now' ? now : Reflect.get(target, property, receiver === globalThis.Date ? target : receiver),
  });
  Math.random = () => maybeGetActivator()?.currentRandom() ?? dice();
  return () => {
    globalThis.Date = RealDate;
    Math.random = realRandom;
  };
}
