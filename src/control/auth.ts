import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Whether whoever sent this may use the API. */
export type Authenticate = (headers: IncomingHttpHeaders) => boolean;

/** `Authorization: Bearer <token>` (RFC 6750), compared in a time that tells nothing of the token, its length included. */
export function bearerToken(token: string): Authenticate {
  const expected = digest(token);
  return ({ authorization = '' }) => {
    const [, given] = /^bearer +(\S+)$/i.exec(authorization) ?? [];
    return given !== undefined && timingSafeEqual(digest(given), expected);
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
