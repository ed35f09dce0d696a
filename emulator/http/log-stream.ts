import type { ServerResponse } from 'node:http';
import type { CoreReply, LogQuery } from '../core/http.js';
import { asServerSentEvent, type PodLog } from '../pods/log-book.js';

/** So that a network that drops silent connections leaves this one. */
const heartbeatMs = 15_000;

/** Sends the past lines that the query wants, then every new one until the reader leaves or the pod ends (`onEnd`). */
export function streamLog(
  outgoing: ServerResponse,
  reply: CoreReply,
  query: LogQuery,
  log: PodLog,
  onEnd: (end: () => void) => () => void,
): void {
  outgoing.writeHead(reply.status, { ...reply.headers, connection: 'keep-alive' });
  outgoing.flushHeaders();
  for (const event of log.past(query)) outgoing.write(asServerSentEvent(event));
  const unfollow = log.follow((event) => {
    if (query.sources.includes(event.source)) outgoing.write(asServerSentEvent(event));
  });
  const heartbeat = setInterval(() => outgoing.write(': keep-alive\n\n'), heartbeatMs);
  const forget = onEnd(() => outgoing.end());
  outgoing.once('close', () => {
    clearInterval(heartbeat);
    unfollow();
    forget();
  });
}
