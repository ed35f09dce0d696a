import type { IncomingMessage } from 'node:http';
import type { CoreRequest } from '../core/http.js';

/** Path and query of a request line. Not `URL`: it would rewrite odd paths, and it throws on some. */
export function splitUrl(url: string): { path: string; search: string } {
  const at = url.indexOf('?');
  return at < 0 ? { path: url, search: '' } : { path: url.slice(0, at), search: url.slice(at) };
}

/** A request as the core takes it. Of a repeated query key the last value counts. */
export function coreRequest(message: IncomingMessage, body: unknown): CoreRequest {
  const { path, search } = splitUrl(message.url ?? '/');
  return {
    method: message.method ?? 'GET',
    path,
    query: Object.fromEntries(new URLSearchParams(search)),
    headers: Object.fromEntries(
      Object.entries(message.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    ),
    ...(typeof body === 'string' ? { body } : {}),
  };
}

export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && (/^(::ffff:)?127\./.test(address) || address === '::1');
