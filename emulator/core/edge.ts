import type { Strike } from './fault-kinds.js';
import { edgePage, Problem, problemReply, silence, type CoreReply } from './http.js';

/** What a fault at the edge answers in place of the API: nothing of the call has happened. */
export function edgeReply(strike: Strike): CoreReply {
  switch (strike.kind) {
    case 'connection-cut':
    case 'proxy-cut':
      return silence('cut');
    case 'hang':
      return silence('hang');
    case 'edge-html':
    case 'proxy-html':
      return edgePage(strike.status ?? 502);
    case 'proxy-524':
      return edgePage(524);
    case 'bad-key':
      return problemReply(new Problem(401, 'invalid bearer token'));
    case 'rate-limited': {
      const retryAfter = strike.retryAfterSeconds === undefined ? 1 : strike.retryAfterSeconds;
      const headers: Record<string, string> = retryAfter === null ? {} : { 'retry-after': String(retryAfter) };
      return problemReply(new Problem(429, 'rate limit exceeded for the minute window', { headers }));
    }
    default:
      return problemReply(new Problem(strike.status ?? 503, 'upstream failure'));
  }
}

/** What a fault makes of the reply to a call that has worked. */
export function lostReply(strike: Strike): CoreReply {
  if (strike.kind === 'create-500-created') return problemReply(new Problem(500, 'internal server error'));
  return silence(strike.kind === 'create-timeout-created' ? 'hang' : 'cut');
}
