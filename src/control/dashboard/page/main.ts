import type { SessionStatus } from '../../../contract/session.js';
import type { Overview } from '../../overview/schemas.js';
import { showAnswers, showTrouble } from './answers.js';
import { get, wordsOf } from './api.js';
import { drawCosts, showCosts } from './costs-view.js';
import { openStart, openStop, prepareDialogs } from './dialogs.js';
import { find, say } from './dom.js';
import { showJobs } from './jobs-view.js';
import { showLeaks } from './leaks-view.js';
import { Store } from './store.js';
import { listen } from './stream.js';
import { clock } from './words.js';

const OVERVIEW_EVERY_MS = 5000;
const COSTS_EVERY_MS = 60_000;
const TICK_MS = 1000;
/** Several events at once are one reason to look. */
const SOON_MS = 400;

const store = new Store();
let soon: ReturnType<typeof setTimeout> | undefined;
let lookingSince: number | undefined;

function tick(): void {
  showAnswers(store, store.now(Date.now()), {
    stop: (name) => {
      openStop(name, store.sessions.get(name)?.status);
    },
  });
  showTrouble(store);
}

function show(): void {
  tick();
  showLeaks(store);
  showJobs(store);
}

function tell(news: string | undefined): void {
  if (news !== undefined) say(find('#news', HTMLElement), `${clock(store.now(Date.now()))}: ${news}`);
}

async function look(): Promise<void> {
  if (lookingSince !== undefined) return;
  const askedMs = Date.now();
  lookingSince = askedMs;
  try {
    store.overviewTold(await get<Overview>('/overview'), askedMs, Date.now());
  } catch (error) {
    store.failed(wordsOf(error));
  } finally {
    lookingSince = undefined;
  }
  show();
}

function lookSoon(): void {
  clearTimeout(soon);
  soon = setTimeout(() => void look(), SOON_MS);
}

listen({
  session: (status: SessionStatus) => {
    tell(store.sessionTold(status, Date.now()));
    if (status.phase === 'stopped') void showCosts(store);
    tick();
    lookSoon();
  },
  unanswered: ({ session, detail }) => {
    store.unansweredTold(session, detail, Date.now());
    tick();
  },
  job: lookSoon,
  problem: ({ detail }) => {
    store.failed(detail);
    tick();
  },
  recovered: lookSoon,
  lost: () => {
    store.failed('the control server does not answer');
    tick();
  },
  opened: lookSoon,
});
prepareDialogs(tell, lookSoon);
find('#open-start', HTMLButtonElement).addEventListener('click', () => {
  openStart(store.overview?.defaults);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  drawCosts(store);
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) lookSoon();
});
setInterval(tick, TICK_MS);
setInterval(() => {
  if (!document.hidden) void look();
}, OVERVIEW_EVERY_MS);
setInterval(() => {
  if (!document.hidden) void showCosts(store);
}, COSTS_EVERY_MS);
void look();
void showCosts(store);
