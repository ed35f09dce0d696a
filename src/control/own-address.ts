import type { IncomingHttpHeaders } from 'node:http';
import { isIP, isIPv4 } from 'node:net';

const ANY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** A host as it stands in an address: an IPv6 one in brackets. */
export function inAddress(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/**
 * Whether a request means this server and comes from no foreign page. A page of the web can point a name of its own at this
 * machine (DNS rebinding), but not a number; and its browser says which page a request is for. The port is not compared: it is
 * another one behind a tunnel.
 * @param listensOn the host as it was configured
 */
export function isForUs({ host = '', origin, ...headers }: IncomingHttpHeaders, listensOn: string): boolean {
  if (!isOwnName(nameOf(host), listensOn)) return false;
  if (origin !== undefined) return origin === `http://${host}` || origin === `https://${host}`;
  return ['same-origin', 'none'].includes(String(headers['sec-fetch-site'] ?? 'none'));
}

function isOwnName(name: string, listensOn: string): boolean {
  const own = listensOn.toLowerCase();
  if (name === own) return true;
  if (ANY_ADDRESS.includes(own)) return name === 'localhost' || isIP(name) !== 0;
  return isLoopback(own) && isLoopback(name);
}

/** Without the port, and without the brackets of IPv6. */
function nameOf(host: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(host.toLowerCase()) ?? [];
  return bracketed ?? plain ?? '';
}
