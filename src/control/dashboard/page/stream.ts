import type { SessionStatus } from '../../../contract/session.js';

/** The browser comes back by itself, unless the server refused it. */
const AGAIN_AFTER_MS = 3000;

/** What `GET /events` tells. */
export interface Listener {
  readonly session: (status: SessionStatus) => void;
  readonly unanswered: (told: { readonly session: string; readonly detail: string }) => void;
  readonly job: () => void;
  readonly problem: (told: { readonly detail: string }) => void;
  readonly recovered: () => void;
  /** The stream has begun, and tells how everything stands. */
  readonly opened: () => void;
  /** It broke off; it begins again when it can. */
  readonly lost: () => void;
}

export function listen(listener: Listener): void {
  const source = new EventSource('/events');
  const on = <T>(name: string, tell: (data: T) => void): void => {
    source.addEventListener(name, (event) => {
      tell(JSON.parse((event as MessageEvent<string>).data) as T);
    });
  };
  on('session', listener.session);
  on('unanswered', listener.unanswered);
  on('job', listener.job);
  on('problem', listener.problem);
  on('recovered', listener.recovered);
  source.addEventListener('open', listener.opened);
  source.addEventListener('error', () => {
    listener.lost();
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      listen(listener);
    }, AGAIN_AFTER_MS);
  });
}
