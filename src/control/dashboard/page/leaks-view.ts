import type { Alarm, Killer } from '../../overview/schemas.js';
import { find, make, say, sync } from './dom.js';
import type { Store } from './store.js';
import { usd } from './words.js';

const NAMES: Readonly<Record<Killer['killer'], string>> = {
  timer: "The session's timer",
  reaper: 'The reaper',
  switch: "The pods' dead-man's switch",
  cron: 'devloop reap elsewhere',
};
const STATES: Readonly<Record<Killer['state'], string>> = { alive: 'alive', dead: 'NOT ALIVE', unknown: 'not known' };

/** What may be leaking, and who would end it. */
export function showLeaks({ overview }: Store): void {
  if (overview === undefined) return;
  const { leaks, killers } = overview;
  const section = find('[data-question="leaking"]', HTMLElement);
  section.dataset.state = leaks.state;
  say(find('.sum', HTMLElement, section), leaks.summary);
  const list = find('.alarms', HTMLElement, section);
  const texts = leaks.alarms.map(alarmText);
  sync(list, texts, (text) => make('li', {}, text));
  list.hidden = texts.length === 0;
  sync(
    find('.killers', HTMLElement, section),
    killers.map(({ killer }) => killer),
    (killer) => make('li', {}, make('strong', {}, NAMES[killer as Killer['killer']]), ' ', make('span')),
  ).forEach((line, at) => {
    const killer = killers[at];
    if (killer === undefined) return;
    line.dataset.state = killer.state;
    say(find('span', HTMLElement, line), `${STATES[killer.state]}. ${killer.text}`);
  });
}

function alarmText({ text, costPerDayUsd }: Alarm): string {
  return costPerDayUsd === undefined ? text : `${text} ${usd(costPerDayUsd)} a day.`;
}
