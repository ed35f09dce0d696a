import type { SessionStatus } from '../../../contract/session.js';
import type { Overview } from '../../overview/schemas.js';
import { post, wordsOf } from './api.js';
import { find, make, say, sayOrHide } from './dom.js';
import { holder, loss } from './words.js';

/** Options that are numbers, by their field's name. */
const NUMBERS = ['idleTimeoutSeconds', 'maxLifetimeSeconds', 'maxPriceUsdPerHour', 'maxCostUsd'] as const;

/** Called with what has happened, for people. */
type Tell = (news: string) => void;

export function openStart(defaults: Overview['defaults'] | undefined): void {
  find('#f-gpu', HTMLInputElement).placeholder = defaults?.gpus[0] ?? '';
  for (const name of NUMBERS) {
    find(`#start [name="${name}"]`, HTMLInputElement).placeholder =
      defaults === undefined ? '' : String(defaults[name]);
  }
  open(find('#start', HTMLDialogElement));
}

/** @param status undefined: it could not be asked who uses it */
export function openStop(session: string, status: SessionStatus | undefined): void {
  const dialog = find('#stop', HTMLDialogElement);
  dialog.dataset.session = session;
  say(find('#stop-title', HTMLElement), `Stop session ${session}?`);
  say(
    find('#stop-loses', HTMLElement),
    status === undefined ? `Who uses session ${session} is not known.` : loss(status),
  );
  const holders = (status?.leases ?? []).map((lease) => make('li', {}, holder(lease)));
  find('#stop-holders', HTMLElement).replaceChildren(...holders);
  say(find('[type="submit"]', HTMLElement, dialog), `Stop ${session}`);
  find('#f-reason', HTMLInputElement).value = 'asked for in the dashboard';
  open(dialog);
}

/** Once, when the page begins. @param done something has changed */
export function prepareDialogs(tell: Tell, done: () => void): void {
  prepare('start', 'Starting …', done, async (fields) => {
    const { session, phase } = await post<SessionStatus>('/control/start', startBody(fields));
    tell(`Session ${session} is asked for: ${phase}.`);
  });
  prepare('stop', 'Stopping …', done, async (fields, { dataset: { session = '' } }) => {
    const status = await post<SessionStatus>('/control/stop', { session, reason: fields.get('reason') });
    tell(`Session ${session} is asked to stop: ${status.phase}.`);
  });
}

function startBody(fields: FormData): object {
  const filled = [...fields].flatMap(([name, value]): [string, unknown][] => {
    const text = typeof value === 'string' ? value.trim() : '';
    if (text === '') return [];
    if (name === 'gpu') return [['gpus', [text]]];
    return [[name, (NUMBERS as readonly string[]).includes(name) ? Number(text) : text]];
  });
  return { startedBy: 'the dashboard', ...(Object.fromEntries(filled) as object) };
}

function prepare(
  id: 'start' | 'stop',
  working: string,
  done: () => void,
  act: (fields: FormData, dialog: HTMLDialogElement) => Promise<void>,
): void {
  const dialog = find(`#${id}`, HTMLDialogElement);
  const form = find('form', HTMLFormElement, dialog);
  const button = find('[type="submit"]', HTMLButtonElement, dialog);
  const problem = find('.problem', HTMLElement, dialog);
  find('.cancel', HTMLButtonElement, dialog).addEventListener('click', () => {
    dialog.close();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const words = button.textContent;
    button.disabled = true;
    say(button, working);
    sayOrHide(problem, '');
    act(new FormData(form), dialog)
      .then(() => {
        dialog.close();
        done();
      })
      .catch((error: unknown) => {
        sayOrHide(problem, wordsOf(error));
      })
      .finally(() => {
        button.disabled = false;
        say(button, words);
      });
  });
}

/** The browser keeps the focus inside, and gives it back when the dialog closes. */
function open(dialog: HTMLDialogElement): void {
  sayOrHide(find('.problem', HTMLElement, dialog), '');
  dialog.showModal();
}
