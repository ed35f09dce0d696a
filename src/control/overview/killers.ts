import type { ReaperRounds, ReaperState } from '../../client/index.js';
import { whyUnknown } from './leaks.js';
import type { Killer } from './schemas.js';
import { clock, count, isUnarmed } from './words.js';

export interface KillerFacts {
  readonly workerPolls: boolean;
  readonly reaper: ReaperState;
  readonly rounds: ReaperRounds;
  readonly nowMs: number;
}

/** Which of those that end pods are alive, in words. Pure. */
export function killersOf(facts: KillerFacts): Killer[] {
  return [timer(facts), reaper(facts), switches(facts), CRON];
}

/** Whoever runs it elsewhere knows; this server does not. */
const CRON: Killer = {
  killer: 'cron',
  state: 'unknown',
  text: 'devloop reap on a machine elsewhere cannot be seen from here. Install it where the workers are not: .github/workflows/reap.yml, or examples/systemd; with --ping-url a monitor notices when it no longer runs.',
};

function timer({ workerPolls }: KillerFacts): Killer {
  return workerPolls
    ? { killer: 'timer', state: 'alive', text: "A worker polls: each session's own timer ends it." }
    : {
        killer: 'timer',
        state: 'dead',
        text: 'No worker has polled for 75 s: no session ends by its own timer. Start one: devloop worker.',
      };
}

function reaper({ reaper: { state }, rounds, nowMs }: KillerFacts): Killer {
  const dead = (text: string): Killer => ({ killer: 'reaper', state: 'dead', text });
  if (state === 'absent') return dead('The reaper has no Schedule. A worker makes one when it starts: devloop worker.');
  if (state === 'paused') {
    return dead(
      'The Schedule is paused. temporal schedule toggle --unpause --schedule-id devloop-reaper starts it again.',
    );
  }
  const unknown = whyUnknown(rounds, nowMs);
  const last = rounds.sweep && clock(rounds.sweep.at);
  if (unknown === undefined) {
    return { killer: 'reaper', state: 'alive', text: `Its Schedule runs; at ${last} it read RunPod's whole list.` };
  }
  if (last === undefined && rounds.failure === undefined) {
    return { killer: 'reaper', state: 'unknown', text: 'Its Schedule runs; no round has ended yet.' };
  }
  return dead(
    `Its Schedule runs, but ${unknown}${last === undefined ? '' : `; it last read RunPod's list at ${last}`}.`,
  );
}

function switches({ rounds, nowMs }: KillerFacts): Killer {
  const say = (state: Killer['state'], text: string): Killer => ({ killer: 'switch', state, text });
  const { sweep } = rounds;
  const unknown = whyUnknown(rounds, nowMs);
  if (sweep === undefined || unknown !== undefined) return say('unknown', `Not known: ${unknown}.`);
  if (sweep.switches === undefined) return say('unknown', 'Not known: the worker is of a version that does not tell.');
  const at = clock(sweep.at);
  const { length: pods } = sweep.switches;
  if (pods === 0) return say('alive', `No pod of ours was running at ${at}: none was needed.`);
  const armed = sweep.switches.filter(({ state }) => state === 'armed').length;
  const text = `Armed on ${armed} of ${count(pods, 'running pod')} at ${at}`;
  if (armed === pods) return say('alive', `${text}.`);
  const others = sweep.switches.filter(({ state }) => state !== 'armed');
  const list = others.map(({ podId, session, state }) => `${podId} of ${session}: ${state}`).join(', ');
  return say(others.some(isUnarmed) ? 'dead' : 'unknown', `${text} (${list}).`);
}
