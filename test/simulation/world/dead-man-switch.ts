/**
 * What `pod/dead-man.sh` decides at a look, without its pod: `test/pod/dead-man-table.ts` holds both to the same rows.
 * Moments are epoch seconds by the API's clock (`now`) or seconds since the machine's boot (`uptime`), which no change of
 * a clock moves.
 */
export interface SwitchOrders {
  readonly readyBy: number;
  readonly idleSeconds: number;
  readonly graceSeconds: number;
  readonly hardDeadline: number;
}

/** What the switch sees: the gate's files and its requests in flight. */
export interface SwitchSight {
  /** The pod was declared ready. */
  readonly ready: boolean;
  readonly inFlight: number;
  /** A use has ended since the look before. */
  readonly used: boolean;
  /** When the look before saw a use, by uptime. Null: there was none yet. */
  readonly lastUse: number | null;
}

export interface SwitchDecision {
  /** To be remembered for the next look. */
  readonly lastUse: number | null;
  readonly idle: number;
  readonly endsAt: number;
  readonly ends: boolean;
  readonly reason: string;
}

export function switchDecision(orders: SwitchOrders, sight: SwitchSight, now: number, uptime: number): SwitchDecision {
  const { ready } = sight;
  const inUse = sight.inFlight > 0 || sight.used || (ready && sight.lastUse === null);
  const lastUse = inUse ? uptime : sight.lastUse;
  const idle = lastUse === null ? 0 : uptime - lastUse;
  const due = ready ? now - idle + orders.idleSeconds + orders.graceSeconds : orders.readyBy;
  const endsAt = Math.min(due, orders.hardDeadline);
  return { lastUse, idle, endsAt, ends: now >= endsAt, reason: reason(orders, ready, idle, now) };
}

/** Why it ends, if it does. */
function reason(orders: SwitchOrders, ready: boolean, idle: number, now: number): string {
  if (now >= orders.hardDeadline) return 'its hard deadline has come';
  return ready ? `nobody has used it for ${idle} s` : 'it was not declared ready in time';
}

/**
 * Seconds until the next look. Calls that RunPod does not take become rare: the quota is the whole account's.
 * @param tries how often in a row the end was asked for, this time included
 */
export function switchPause(orders: SwitchOrders, tries: number): number {
  return tries < 4 ? Math.min(5, Math.max(1, Math.floor(orders.idleSeconds / 4))) : 15;
}
