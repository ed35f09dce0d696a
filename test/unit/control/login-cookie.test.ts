import { describe, expect, it } from 'vitest';
import { Attempts } from '../../../src/control/dashboard/attempts.js';
import { LoginCookie, PAGE_HEADER } from '../../../src/control/dashboard/cookie.js';

const TOKEN = 'a-token-of-sixteen';
const HOUR_MS = 3_600_000;
let nowMs = Date.UTC(2026, 10, 27);
const clock = (): number => nowMs;
const pairOf = (setCookie: string): string => setCookie.split(';')[0] ?? '';

describe('the cookie of a login', () => {
  const cookie = pairOf(new LoginCookie(TOKEN, clock).issue(false));

  it('is for this server and its pages only, by https where the browser came by it, and is not the token', () => {
    const plain = new LoginCookie(TOKEN, clock).issue(false);
    expect(plain).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(plain).not.toContain(TOKEN);
    expect(new LoginCookie(TOKEN, clock).issue(true)).toMatch(/; Secure$/);
  });

  it('is known after a restart, among others, until its end', () => {
    const again = new LoginCookie(TOKEN, clock);
    expect(again.isIn({ cookie: `a=b; ${cookie}; c=d` })).toBe(true);
    nowMs += 11 * HOUR_MS;
    expect(again.isIn({ cookie })).toBe(true);
    nowMs += HOUR_MS;
    expect(again.isIn({ cookie })).toBe(false);
    nowMs -= 12 * HOUR_MS;
  });

  it.each([
    ['none', ''],
    ['one that was cleared', pairOf(new LoginCookie(TOKEN, clock).clear(false))],
    ['one with a later end', cookie.replace(/=\d/, '=9')],
    ['one with another signature', cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))],
    ['half of one', cookie.slice(0, -1)],
    ['one of another token', pairOf(new LoginCookie('another-token-of-it', clock).issue(false))],
    [
      'the signature of another token under this name',
      `${cookie.split('=')[0]}=${pairOf(new LoginCookie('another-token-of-it', clock).issue(false)).split('=')[1]}`,
    ],
  ])('lets nobody in who has %s', (_what, given) => {
    expect(new LoginCookie(TOKEN, clock).isIn({ cookie: given })).toBe(false);
  });
});

describe('a request with the cookie', () => {
  const login = new LoginCookie(TOKEN, clock);
  const cookie = pairOf(login.issue(false));
  const own = { cookie, origin: 'http://localhost', 'content-type': 'application/json', [PAGE_HEADER]: '1' };

  it('may read; it may change something when our own page sent it', () => {
    expect(login.allows({ cookie }, 'GET')).toBe(true);
    expect(login.allows(own, 'POST')).toBe(true);
    expect(login.allows({ ...own, 'sec-fetch-site': 'same-origin' }, 'POST')).toBe(true);
  });

  it.each([
    ['no cookie', { ...own, cookie: '' }],
    ['no origin', { ...own, origin: undefined }],
    ['a site that is only near', { ...own, 'sec-fetch-site': 'same-site' }],
    ['no header of ours', { ...own, [PAGE_HEADER]: undefined }],
    ['a form', { ...own, 'content-type': 'application/x-www-form-urlencoded' }],
    ['a type that only begins like JSON', { ...own, 'content-type': 'application/jsonp' }],
    ['no type', { ...own, 'content-type': undefined }],
  ])('may change nothing with %s', (_what, headers) => {
    expect(login.allows(headers as Record<string, string>, 'POST')).toBe(false);
  });
});

describe('wrong tokens', () => {
  it('are taken ten times a minute from one address, and others are not kept waiting', () => {
    const attempts = new Attempts(clock);
    for (let i = 0; i < 10; i++) {
      expect(attempts.waitSeconds('a')).toBe(0);
      attempts.wasWrong('a');
      nowMs += 1000;
    }
    expect(attempts.waitSeconds('a')).toBe(50);
    expect(attempts.waitSeconds('b')).toBe(0);
    nowMs += 50_000;
    expect(attempts.waitSeconds('a')).toBe(0);
  });

  it('of many addresses take no more room than of a thousand', () => {
    const attempts = new Attempts(clock);
    for (let i = 0; i < 10; i++) attempts.wasWrong('first');
    expect(attempts.waitSeconds('first')).toBeGreaterThan(0);
    for (let i = 0; i < 1000; i++) attempts.wasWrong(`other ${i}`);
    expect(attempts.waitSeconds('first')).toBe(0);
  });
});
