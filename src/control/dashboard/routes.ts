import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isRightToken } from '../auth.js';
import { Refusal } from '../problems.js';
import { loadAssets, readPage } from './assets.js';
import { Attempts } from './attempts.js';
import type { LoginCookie } from './cookie.js';
import { PAGE_HEADERS } from './headers.js';

/** The token and the names around it. */
const FORM_LIMIT_BYTES = 4096;
const PROBLEM_PLACE = '<!-- problem -->';

export interface DashboardParts {
  readonly cookie: LoginCookie;
  readonly token: string;
}

/**
 * The dashboard at `/`, its login and what both load. None of it is secret, so none wants the token; what the page then asks the
 * API for does.
 */
export function addDashboard(app: FastifyInstance, { cookie, token }: DashboardParts): void {
  const assets = loadAssets();
  const index = readPage('index.html');
  const login = readPage('login.html');
  const attempts = new Attempts();
  const open = { config: { open: true } };

  // In a context of its own: forms are taken here and nowhere else.
  void app.register((pages, _options, done) => {
    pages.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: FORM_LIMIT_BYTES },
      (_request, body, parsed) => {
        parsed(null, new URLSearchParams(body.toString()));
      },
    );
    pages.get('/', open, (request, reply) => {
      if (!cookie.isIn(request.headers)) return goTo(reply, '/login');
      return sendPage(reply, index);
    });
    pages.get('/login', open, (request, reply) => {
      if (cookie.isIn(request.headers)) return goTo(reply, '/');
      return sendPage(reply, login);
    });
    pages.post('/login', open, (request, reply) => {
      const wait = attempts.waitSeconds(request.ip);
      if (wait > 0) {
        void reply.code(429).header('retry-after', String(wait));
        return sendPage(reply, withProblem(login, `Too many wrong tokens: try again in ${wait} seconds.`));
      }
      const given = request.body instanceof URLSearchParams ? (request.body.get('token') ?? '').trim() : '';
      if (!isRightToken(given, token)) {
        attempts.wasWrong(request.ip);
        void reply.code(401);
        return sendPage(reply, withProblem(login, 'That is not the token of this server.'));
      }
      return goTo(reply.header('set-cookie', cookie.issue(isSecure(request))), '/');
    });
    pages.post('/logout', open, (request, reply) =>
      goTo(reply.header('set-cookie', cookie.clear(isSecure(request))), '/login'),
    );
    pages.get<{ Params: { name: string } }>('/assets/:name', open, (request, reply) => {
      const asset = assets.get(request.params.name);
      if (asset === undefined) throw new Refusal('CONTROL_NO_ROUTE', 'nothing is served there; what is: /openapi.json');
      return reply.headers(PAGE_HEADERS).type(asset.type).send(asset.body);
    });
    done();
  });
}

function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply.headers(PAGE_HEADERS).type('text/html; charset=utf-8').send(html);
}

/** @param problem a sentence of ours: nothing that was sent stands in it */
function withProblem(html: string, problem: string): string {
  return html.replace(PROBLEM_PLACE, `<p class="problem" role="alert" id="problem">${problem}</p>`);
}

/** The next page is asked for by GET, and is always one of ours. */
function goTo(reply: FastifyReply, path: '/' | '/login'): FastifyReply {
  return reply.code(303).headers(PAGE_HEADERS).header('location', path).send();
}

/** A browser says with its form which scheme it uses; whoever lies about it harms nobody but himself. */
function isSecure({ headers }: FastifyRequest): boolean {
  return headers.origin?.startsWith('https://') ?? false;
}
