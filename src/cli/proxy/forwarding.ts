import type { IncomingHttpHeaders } from 'node:http';

export const LOOPBACK = '127.0.0.1';
const OWN_NAMES: readonly string[] = [LOOPBACK, 'localhost', '[::1]'];

/** Meant for the next hop alone (RFC 9110, 7.6.1): a client that wants HTTP/1.0 must not get what the pod sent us chunked. */
const HOP_BY_HOP: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
];

/**
 * Whether a request means this proxy. A page of the web must not use the pod: neither under a name of its own that points at
 * this machine, nor by what it makes its reader's browser send here.
 */
export function isForUs({ host = '', origin, ...headers }: IncomingHttpHeaders, port: number): boolean {
  const [, name, givenPort] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  if (!OWN_NAMES.includes(name?.toLowerCase() ?? '') || Number(givenPort ?? 80) !== port) return false;
  return origin === undefined ? headers['sec-fetch-site'] !== 'cross-site' : isLocal(origin);
}

/** Editors and browser extensions have schemes of their own; pages of the web cannot. */
function isLocal(origin: string): boolean {
  if (origin === 'null') return false;
  const { protocol, hostname } = URL.canParse(origin) ? new URL(origin) : { protocol: 'http:', hostname: '' };
  return !/^https?:$/.test(protocol) || OWN_NAMES.includes(hostname);
}

/** Where a request goes; undefined for one that would leave the pod: another host's address, or a path above the endpoint. */
export function targetOf(endpoint: string, requested: string): URL | undefined {
  const base = endpoint.replace(/\/+$/, '');
  if (!requested.startsWith('/') || !URL.canParse(`${base}${requested}`)) return undefined;
  const target = new URL(`${base}${requested}`);
  return target.href.startsWith(`${new URL(base).href.replace(/\/+$/, '')}/`) ? target : undefined;
}

/** @param alsoDropped how an answer's body is framed, for example, is between this proxy and its client */
export function endToEnd(headers: IncomingHttpHeaders, ...alsoDropped: readonly string[]): IncomingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const dropped = [...HOP_BY_HOP, ...named, ...alsoDropped];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.includes(name)));
}

/** What RunPod's proxy says of a pod that is not there, or does not listen. */
const NO_POD: readonly number[] = [404, 502, 503, 530];

/** Whether an answer comes from the way to the pod: what went through its gate says so. */
export function isNotFromPod(status: number | undefined, { via = '' }: IncomingHttpHeaders): boolean {
  return status !== undefined && NO_POD.includes(status) && !/caddy/i.test(via);
}
