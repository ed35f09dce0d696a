import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Whether whoever sent this may use the API. */
export type Authenticate = (headers: IncomingHttpHeaders, method: string) => boolean;

/** `Authorization: Bearer <token>` (RFC 6750). */
export function bearerToken(token: string): (headers: IncomingHttpHeaders) => boolean {
  return ({ authorization = '' }) => {
    const [, given] = /^bearer +(\S+)$/i.exec(authorization) ?? [];
    return given !== undefined && isRightToken(given, token);
  };
}

/** Compares in a time that tells nothing of the token, its length included. */
export function isRightToken(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
