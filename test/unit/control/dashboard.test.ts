import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DevloopError } from '../../../src/contract/index.js';
import { startControl, type Control } from '../../../src/control/control.js';
import { PAGE_HEADER } from '../../../src/control/dashboard/cookie.js';

const TOKEN = 'a-token-of-sixteen';
const away = () => Promise.reject(new DevloopError('TEMPORAL_UNREACHABLE', 'away'));
let control: Control;

beforeAll(async () => {
  const log = pino({ level: 'silent' });
  control = await startControl({ connect: away, host: '127.0.0.1', port: 0, token: TOKEN, log });
});

afterAll(() => control.close());

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(control.url + path, { redirect: 'manual', ...init });
const form = (fields: Record<string, string>, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(fields),
  headers: { origin: control.url, ...headers },
});
const cookieOf = (answer: Response): string => answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';

describe('the dashboard', () => {
  it('sends whoever is not logged in to its login, and back whoever is', async () => {
    const first = await ask('/');
    expect([first.status, first.headers.get('location')]).toEqual([303, '/login']);
    expect((await ask('/login')).status).toBe(200);
    const cookie = cookieOf(await ask('/login', form({ token: TOKEN })));
    const page = await ask('/', { headers: { cookie } });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const login = await ask('/login', { headers: { cookie } });
    expect([login.status, login.headers.get('location')]).toEqual([303, '/']);
  });

  it('asks the browser to load and run nothing but what this server serves', async () => {
    for (const path of ['/login', '/assets/style.css', '/assets/chart.js']) {
      const { headers } = await ask(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy, path).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
      expect(policy, path).not.toMatch(/unsafe|\*/);
      expect(policy, path).toContain("frame-ancestors 'none'");
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
      expect(headers.get('x-frame-options'), path).toBe('DENY');
    }
  });

  it('serves what it loads by name, and no file beside', async () => {
    expect((await ask('/assets/chart.js')).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    for (const name of ['..%2froutes.js', '%2e%2e%2fcookie.js', 'index.html', 'tsconfig.json', 'no.js']) {
      expect((await ask(`/assets/${name}`)).status, name).toBe(404);
    }
  });
});

describe('its login', () => {
  it('takes the token and gives a cookie that opens the API; the logout takes it away', async () => {
    const answer = await ask('/login', form({ token: ` ${TOKEN} ` }));
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    const cookie = cookieOf(answer);
    expect((await ask('/openapi.json', { headers: { cookie } })).status).toBe(200);
    expect((await ask('/openapi.json')).status).toBe(401);
    const out = await ask('/logout', form({}, { cookie }));
    expect([out.status, out.headers.get('location')]).toEqual([303, '/login']);
    expect(out.headers.getSetCookie()[0]).toMatch(/=; Max-Age=0;/);
  });

  it('marks the cookie Secure for a browser that came by https', async () => {
    const origin = control.url.replace('http:', 'https:');
    expect((await ask('/login', form({ token: TOKEN }, { origin }))).headers.getSetCookie()[0]).toMatch(/; Secure$/);
  });

  it('takes no form of another origin', async () => {
    expect((await ask('/login', form({ token: TOKEN }, { origin: 'https://evil.example' }))).status).toBe(403);
  });

  it('does not let the cookie change anything without the header of the page', async () => {
    const cookie = cookieOf(await ask('/login', form({ token: TOKEN })));
    const headers = { cookie, origin: control.url, 'content-type': 'application/json' };
    const stop = (more: Record<string, string>) =>
      ask('/control/stop', { method: 'POST', body: '{"session":"x"}', headers: { ...headers, ...more } });
    expect((await stop({})).status).toBe(401);
    expect((await stop({ [PAGE_HEADER]: '1' })).status).toBe(503);
    // Forms are read by the login only.
    const sent = form({ session: 'x' }, { cookie, authorization: `Bearer ${TOKEN}` });
    expect((await ask('/control/stop', sent)).status).toBe(415);
  });

  it('refuses a wrong token in words, and the eleventh in a minute whatever it is', async () => {
    for (let i = 0; i < 10; i++) {
      const answer = await ask('/login', form({ token: `wrong-${i}` }));
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([401, []]);
      expect(await answer.text()).toContain('role="alert" id="problem">That is not the token');
    }
    const refused = await ask('/login', form({ token: TOKEN }));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.text()).toContain('Too many wrong tokens');
  });
});
