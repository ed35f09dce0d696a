import type { ReaperRounds } from '../../client/index.js';
import type { SessionStatus } from '../../contract/index.js';
import { alarmsOf } from './alarms.js';
import type { Leaks } from './schemas.js';
import { clock, count, usd } from './words.js';

/** A round every two minutes, each up to three: what is older is no news. */
const STALE_AFTER_MS = 300_000;

/** Why the last report says nothing of now; undefined: it does. */
export function whyUnknown({ sweep, failure }: ReaperRounds, nowMs: number): string | undefined {
  if (failure !== undefined) return `the reaper's last round failed at ${clock(failure.at)}: ${failure.message}`;
  if (sweep === undefined) return 'no round of the reaper has told anything yet';
  if (nowMs - Date.parse(sweep.at) > STALE_AFTER_MS) return `the reaper has not looked since`;
  return undefined;
}

/** Whether anything is leaking, in words. What is not known is never called well. Pure. */
export function leaksOf(rounds: ReaperRounds, sessions: readonly SessionStatus[], nowMs: number): Leaks {
  const alarms = alarmsOf(rounds.sweep, sessions);
  const unknown = whyUnknown(rounds, nowMs);
  const knownAt = rounds.sweep?.at;
  const known = { alarms, ...(knownAt !== undefined && { knownAt }) };
  const found = alarms.length === 0 ? '' : `${count(alarms.length, 'alarm')}${costOf(alarms)}.`;
  if (unknown !== undefined) {
    const since = knownAt === undefined ? 'Not known' : `Not known since ${clock(knownAt)}`;
    const then = found === '' ? '' : ` Known until then: ${found}`;
    return { ...known, state: 'unknown', summary: `${since}: ${unknown}.${then}` };
  }
  if (found !== '') return { ...known, state: 'found', summary: `Yes: ${found}` };
  const { pods = 0, ended = [] } = rounds.sweep ?? {};
  const done = ended.length === 0 ? '' : `, and ended ${count(ended.length, 'pod')} that nobody used or owned`;
  return {
    ...known,
    state: 'none',
    summary: `No: at ${clock(knownAt ?? nowMs)} the reaper saw ${count(pods, 'pod')}, all accounted for${done}.`,
  };
}

function costOf(alarms: Leaks['alarms']): string {
  const perDay = alarms.reduce((sum, { costPerDayUsd = 0 }) => sum + costPerDayUsd, 0);
  const isPart = alarms.some(({ costPerDayUsd }) => costPerDayUsd === undefined);
  if (perDay === 0) return '';
  return `, ${isPart ? 'at least ' : ''}${usd(perDay)} a day`;
}
