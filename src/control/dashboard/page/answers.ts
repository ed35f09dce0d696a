import { find, link, make, say, sayOrHide, sync } from './dom.js';
import type { Store, Told } from './store.js';
import { clock, cost, costNow, count, running, span, stop, usd, users } from './words.js';

/** The sections that have a line for each session. */
const QUESTIONS = ['running', 'why', 'who', 'stop', 'cost'] as const;
type Question = (typeof QUESTIONS)[number];

export interface SessionActions {
  stop(session: string): void;
}

/** Writes the answers about sessions. Called every second: it changes only what has changed. */
export function showAnswers(store: Store, nowMs: number, actions: SessionActions): void {
  const names = store.names();
  for (const question of QUESTIONS) {
    const section = find(`[data-question="${question}"]`, HTMLElement);
    const lines = find('.lines', HTMLElement, section);
    const create = (name: string): HTMLElement => newLine(question, name, store, actions);
    sync(lines, names, create).forEach((line, at) => {
      const name = names[at] ?? '';
      fill(question, line, store.sessions.get(name), store.unanswered.get(name), nowMs);
    });
    lines.hidden = names.length === 0;
    sayOrHide(find('.sum', HTMLElement, section), sumOf(question, store, nowMs));
  }
}

/** Above the lines: what holds for all sessions, or that there is none. */
function sumOf(question: Question, store: Store, nowMs: number): string {
  if (store.overview === undefined) return question === 'running' ? 'Looking …' : '';
  const told = [...store.sessions.values()];
  if (store.names().length === 0) return NOTHING[question];
  if (question === 'running') return `${count(store.names().length, 'session')}.`;
  if (question !== 'cost') return '';
  const soFar = told.reduce((sum, { status, toldMs }) => sum + costNow(status, toldMs, nowMs), 0);
  const perHour = told.reduce((sum, { status }) => sum + (status.pod?.costPerHourUsd ?? 0), 0);
  return `What runs has cost ${usd(soFar)} so far and costs ${usd(perHour)} an hour now.`;
}

const NOTHING: Readonly<Record<Question, string>> = {
  running: 'Nothing: no session runs.',
  why: 'Nobody has asked for a session.',
  who: 'Nobody.',
  stop: 'There is nothing to stop.',
  cost: 'Nothing costs anything now.',
};

function newLine(question: Question, name: string, store: Store, actions: SessionActions): HTMLElement {
  const line = make('li', {}, make('strong', {}, name), ' ', make('span', { class: 'text' }));
  if (question === 'stop') {
    line.append(
      make('span', { class: 'countdown', role: 'timer', 'aria-label': `time until ${name} stops` }),
      make('span', { class: 'reason' }),
    );
  }
  if (question !== 'running') return line;
  const button = make('button', { type: 'button', class: 'stop' }, `Stop ${name}`);
  button.addEventListener('click', () => {
    actions.stop(name);
  });
  const history = workflowLink(
    store,
    `pod-session/${name}`,
    'history',
    `history of session ${name} in Temporal's Web UI`,
  );
  line.append(' ', button, ...(history === undefined ? [] : [' ', history]));
  return line;
}

function fill(
  question: Question,
  line: HTMLElement,
  told: Told | undefined,
  unanswered: string | undefined,
  nowMs: number,
): void {
  const text = find('.text', HTMLElement, line);
  if (question === 'running') {
    const phase = told?.status.phase;
    const isEnding = phase === 'draining' || phase === 'stopping' || phase === 'stuck';
    find('button', HTMLButtonElement, line).disabled = isEnding;
  }
  if (told === undefined) {
    say(text, `not known: ${unanswered ?? ''}`);
    return;
  }
  const { status, toldMs } = told;
  switch (question) {
    case 'running':
      say(text, running(status, nowMs));
      break;
    case 'why':
      say(text, status.why);
      break;
    case 'who':
      say(text, users(status));
      break;
    case 'cost':
      say(text, cost(status, toldMs, nowMs));
      break;
    case 'stop': {
      const { lead, atMs, reason } = stop(status);
      say(text, lead);
      say(find('.countdown', HTMLElement, line), atMs === undefined ? '' : `, in ${span((atMs - nowMs) / 1000)}`);
      say(find('.reason', HTMLElement, line), `: ${reason}`);
      break;
    }
  }
}

/** Into Temporal's Web UI, where its address is known. */
export function workflowLink(store: Store, workflowId: string, text: string, label: string): HTMLElement | undefined {
  const { webUi } = store.overview ?? {};
  if (webUi === undefined) return undefined;
  const path = `/namespaces/${encodeURIComponent(webUi.namespace)}/workflows/${encodeURIComponent(workflowId)}`;
  return link(webUi.url + path, text, label);
}

/** Says of every answer that it is no longer known, and since when. */
export function showTrouble(store: Store): void {
  const { trouble } = store;
  const since = trouble?.sinceMs === undefined ? 'Not known yet' : `Not known since ${clock(trouble.sinceMs)}`;
  const isKnown = trouble === undefined;
  sayOrHide(
    find('#trouble', HTMLElement),
    isKnown ? '' : `${since}: ${trouble.detail}. Below stands what was known until then.`,
  );
  document.body.classList.toggle('not-known', !isKnown);
  for (const note of document.querySelectorAll<HTMLElement>('.since'))
    sayOrHide(note, isKnown ? '' : `${since}. Until then:`);
}
