import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** A person logs in again after half a day. */
const VALID_SECONDS = 12 * 3600;
/** Says that our own page sent a request: no form and no foreign page can add a header. */
export const PAGE_HEADER = 'x-devloop-dashboard';

/**
 * The dashboard's login as a cookie: an end and its signature, by a key that is derived from the control token. So it outlives a
 * restart of the server, ends when the token changes, and does not tell the token.
 */
export class LoginCookie {
  private readonly key: Buffer;
  /** Servers on other ports of one host share its cookies: each has a name of its own. */
  private readonly name: string;

  constructor(
    token: string,
    private readonly clock: () => number = Date.now,
  ) {
    this.key = createHmac('sha256', token).update('devloop dashboard login 1').digest();
    this.name = `devloop_${this.sign('name').slice(0, 8)}`;
  }

  /** @param secure the browser came by https. @returns a `Set-Cookie` */
  issue(secure: boolean): string {
    const ends = String(Math.floor(this.clock() / 1000) + VALID_SECONDS);
    return this.header(`${ends}.${this.sign(ends)}`, VALID_SECONDS, secure);
  }

  /** @returns a `Set-Cookie` after which nobody is logged in */
  clear(secure: boolean): string {
    return this.header('', 0, secure);
  }

  /** Whether the browser is logged in. */
  isIn({ cookie = '' }: IncomingHttpHeaders): boolean {
    const prefix = `${this.name}=`;
    const pair = cookie.split(/; */).find((entry) => entry.startsWith(prefix));
    const [, ends = '', signature = ''] = /^(\d{1,12})\.([\w-]{43})$/.exec(pair?.slice(prefix.length) ?? '') ?? [];
    if (!timingSafeEqual(digest(signature), digest(this.sign(ends)))) return false;
    return Number(ends) * 1000 > this.clock();
  }

  /**
   * Whether the cookie lets this request in. What changes something has to come from our own page by script: same origin, JSON, and
   * our header. That the origin is ours has been seen to before.
   */
  allows(headers: IncomingHttpHeaders, method: string): boolean {
    if (!this.isIn(headers)) return false;
    if (method === 'GET' || method === 'HEAD') return true;
    const { origin, 'content-type': type = '', 'sec-fetch-site': site } = headers;
    const isOwnPage = origin !== undefined && (site === undefined || site === 'same-origin');
    return isOwnPage && headers[PAGE_HEADER] === '1' && /^application\/json(?:\s*;|$)/i.test(type);
  }

  private sign(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url');
  }

  private header(value: string, maxAge: number, secure: boolean): string {
    return `${this.name}=${value}; Max-Age=${maxAge}; Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  }
}

function digest(text: string): Buffer {
  return createHmac('sha256', 'equal length').update(text).digest();
}
