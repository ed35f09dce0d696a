import type { SwitchDecision, SwitchOrders, SwitchSight } from '../simulation/world/dead-man-switch.js';

export interface SwitchRow {
  readonly what: string;
  readonly orders: SwitchOrders;
  readonly sight: SwitchSight;
  readonly now: number;
  readonly uptime: number;
}

const T = 1_800_000_000;
/** Boots within ten minutes, ends after 480 + 120 s without use, and after eight hours whatever happens. */
const orders: SwitchOrders = { readyBy: T + 600, idleSeconds: 480, graceSeconds: 120, hardDeadline: T + 28_800 };
const booting: SwitchSight = { ready: false, inFlight: 0, used: false, lastUse: null };
const serving: SwitchSight = { ready: true, inFlight: 0, used: false, lastUse: 1_000 };

const notReady = 'it was not declared ready in time';
const overdue = 'its hard deadline has come';
const unused = (seconds: number): string => `nobody has used it for ${seconds} s`;

/** At uptime 1000 it was T. */
function row(
  what: string,
  sight: SwitchSight,
  seconds: number,
  [lastUse, idle, endsAt, reason]: [number | null, number, number, string | null],
  changed: Partial<SwitchOrders> = {},
): SwitchRow & { readonly decision: Omit<SwitchDecision, 'reason'> & { readonly reason: string | null } } {
  const decision = { lastUse, idle, endsAt: T + endsAt, ends: reason !== null, reason };
  return { what, orders: { ...orders, ...changed }, sight, now: T + seconds, uptime: 1_000 + seconds, decision };
}

/** What the dead-man's switch decides. The reason is null where it does not end the pod. */
export const switchTable = [
  row('a pod that boots', booting, 0, [null, 0, 600, null]),
  row('a second before READY_BY', booting, 599, [null, 0, 600, null]),
  row('READY_BY has come', booting, 600, [null, 0, 600, notReady]),
  row('long past READY_BY', booting, 5_000, [null, 0, 600, notReady]),
  row('used past READY_BY, never ready', { ...booting, used: true }, 600, [1_600, 0, 600, notReady]),
  row('in flight past READY_BY, never ready', { ...booting, inFlight: 1 }, 600, [1_600, 0, 600, notReady]),
  row('used while it boots', { ...booting, used: true }, 100, [1_100, 0, 600, null]),
  row('READY_BY beyond the hard deadline', booting, 500, [null, 0, 500, overdue], { hardDeadline: T + 500 }),
  row('the first look after it is ready', { ...serving, lastUse: null }, 300, [1_300, 0, 900, null]),
  row('ready past READY_BY', { ...serving, lastUse: null }, 900, [1_900, 0, 1_500, null]),
  row('a second before its idle time and grace are over', serving, 599, [1_000, 599, 600, null]),
  row('its idle time is over, its grace is not', serving, 480, [1_000, 480, 600, null]),
  row('its idle time and grace are over', serving, 600, [1_000, 600, 600, unused(600)]),
  row('long unused', serving, 10_000, [1_000, 10_000, 600, unused(10_000)]),
  row('a use has ended since', { ...serving, used: true }, 600, [1_600, 0, 1_200, null]),
  row('a request is in flight', { ...serving, inFlight: 2 }, 10_000, [11_000, 0, 10_600, null]),
  row('hours in flight, a second before the hard deadline', { ...serving, inFlight: 1 }, 28_799, [
    29_799,
    0,
    28_800,
    null,
  ]),
  row('in flight at the hard deadline', { ...serving, inFlight: 1 }, 28_800, [29_800, 0, 28_800, overdue]),
  row('used at the hard deadline', { ...serving, used: true }, 28_800, [29_800, 0, 28_800, overdue]),
  row('never ready at the hard deadline', booting, 28_800, [null, 0, 600, overdue]),
  row('in use, less than its idle time before the hard deadline', { ...serving, used: true }, 28_700, [
    29_700,
    0,
    28_800,
    null,
  ]),
  row('the last use was before the machine started', { ...serving, lastUse: -200 }, -600, [
    -200,
    600,
    -600,
    unused(600),
  ]),
  row('no grace', serving, 5, [1_000, 5, 5, unused(5)], { idleSeconds: 5, graceSeconds: 0 }),
  row('the shortest idle time', serving, 124, [1_000, 124, 125, null], { idleSeconds: 5 }),
  row('told to end at once', { ...serving, used: true }, 0, [1_000, 0, 0, overdue], { hardDeadline: T }),
  row('the clock is a day behind its orders', booting, -86_400, [null, 0, 600, null]),
];
