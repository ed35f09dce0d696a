import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { DevloopError } from '../../contract/index.js';
import { Slots } from '../slots.js';
import { Changes, type FeedEvent, type Look } from './changes.js';

const POLL_EVERY_MS = 1000;
const HEARTBEAT_EVERY_MS = 15_000;
const MAX_SUBSCRIBERS = 32;
/** A reader that is so far behind is let go; it comes back and is told how everything stands. */
const MAX_UNREAD_BYTES = 1024 * 1024;
const RECONNECT_AFTER_MS = 2000;

/** One look at Temporal for all who listen. Nobody looks while nobody listens. */
export class Feed {
  private readonly subscribers = new Set<Readable>();
  private readonly slots = new Slots('event streams', MAX_SUBSCRIBERS);
  private polling: AbortController | undefined;
  private changes = new Changes();

  /** @param look all sessions, those besides included, and the newest jobs */
  constructor(private readonly look: (besides: readonly string[], signal: AbortSignal) => Promise<Look>) {}

  /**
   * Server-sent events: first how everything stands, then what changes.
   * @throws DevloopError `CONTROL_BUSY`
   */
  subscribe(): Readable {
    const release = this.slots.take();
    const stream = new Readable({ read: () => undefined });
    stream.push(`retry: ${RECONNECT_AFTER_MS}\n\n`);
    stream.once('close', () => {
      release();
      this.subscribers.delete(stream);
      if (this.subscribers.size === 0) this.polling?.abort();
    });
    this.subscribers.add(stream);
    if (this.polling === undefined || this.polling.signal.aborted) this.startPolling();
    else stream.push(this.changes.present().map(eventText).join(''));
    return stream;
  }

  /** Every stream ends. */
  close(): void {
    for (const stream of this.subscribers) stream.push(null);
    this.polling?.abort();
  }

  private startPolling(): void {
    const controller = new AbortController();
    this.polling = controller;
    this.changes = new Changes();
    const heartbeat = setInterval(() => {
      this.tell(':\n\n');
    }, HEARTBEAT_EVERY_MS);
    void this.poll(controller.signal, this.changes).finally(() => {
      clearInterval(heartbeat);
    });
  }

  private async poll(signal: AbortSignal, changes: Changes): Promise<void> {
    while (!signal.aborted) {
      const events = await this.newEvents(signal, changes);
      if (!signal.aborted && events.length > 0) this.tell(events.map(eventText).join(''));
      await delay(POLL_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async newEvents(signal: AbortSignal, changes: Changes): Promise<FeedEvent[]> {
    try {
      return changes.of(await this.look(changes.openSessions(), signal));
    } catch (error) {
      if (error instanceof DevloopError) return changes.failed(error.code, error.message);
      return changes.failed('UNEXPECTED', 'sessions and jobs could not be looked at');
    }
  }

  private tell(text: string): void {
    for (const stream of this.subscribers) {
      if (stream.readableLength > MAX_UNREAD_BYTES) stream.destroy();
      else stream.push(text);
    }
  }
}

/** JSON has no line breaks, so one event is two lines. */
function eventText({ event, data }: FeedEvent): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
