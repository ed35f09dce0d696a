import type { Weather } from '../world/weather.js';
import { hasStruck, type StruckFault } from './truth.js';

const LYING_LISTS = ['list-misses', 'list-late', 'list-small-page', 'pod-forgotten'];
const BAD_GATES = [
  'proxy-html',
  'proxy-524',
  'gate-slow',
  'connections-cut',
  'worker-cut-from-gates',
  'worker-cut-from-internet',
];

/** In how many ways the list lies. */
export function listLies({ listLagSeconds }: Weather, struck: readonly StruckFault[]): number {
  const lies = struck.filter(({ fault }) => LYING_LISTS.includes(fault.kind.name)).length;
  return lies + (listLagSeconds > 0 ? 1 : 0);
}

/** Three looks over a minute may all miss a pod of which nobody has an id to ask for. */
export function mayHidePods(weather: Weather, struck: readonly StruckFault[]): boolean {
  return listLies(weather, struck) >= 2;
}

/** RunPod knows a living pod neither in its list nor by its id. */
function isDenied(weather: Weather, struck: readonly StruckFault[]): boolean {
  const isUnlisted = listLies(weather, struck) > 0;
  return hasStruck(struck, ['pod-forgotten']) || (isUnlisted && hasStruck(struck, ['get-404-after-create']));
}

/** RunPod accepts a DELETE, ignores it, and then denies the pod: no one can tell that from its end. */
export function isDeniedTwice(weather: Weather, struck: readonly StruckFault[]): boolean {
  return isDenied(weather, struck) && (weather.isDeaf || hasStruck(struck, ['delete-no-effect', 'never-ends']));
}

/** RunPod denies a pod whose gate does not serve: no one can tell that from its loss. */
export function isTakenForLost(weather: Weather, struck: readonly StruckFault[]): boolean {
  return isDenied(weather, struck) && hasStruck(struck, BAD_GATES);
}
