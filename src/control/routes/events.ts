import * as z from 'zod';
import type { Feed } from '../events/feed.js';
import { operation, type Operation } from '../operation.js';

export function eventOperation(feed: Feed): Operation {
  return operation({
    method: 'GET',
    path: '/events',
    id: 'streamEvents',
    summary:
      'Server-sent events: how every session and the newest 100 jobs stand, then what changes. session: a SessionStatus. job: a ListedJob. unanswered: a session that cannot be asked. problem: {code, detail}, Temporal or the workers are away. recovered: they are back.',
    answers: { 200: { description: 'A stream without an end.', schema: z.string(), mediaType: 'text/event-stream' } },
    codes: [],
    run: () => ({ status: 200, body: feed.subscribe() }),
  });
}
