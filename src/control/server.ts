import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { parseMessage } from '../contract/index.js';
import type { Authenticate } from './auth.js';
import type { InFlight } from './in-flight.js';
import { methodsAt, routeUrl, type Operation } from './operation.js';
import { isForUs } from './own-address.js';
import { PROBLEM_TYPE, problemOf, Refusal } from './problems.js';

/** A whole request has to arrive within this; answers may take as long as they like. */
const REQUEST_TIMEOUT_MS = 30_000;
const RETRY_AFTER_SECONDS = '5';
/** Longer than any parameter may be: those have their own bounds, which say what is wrong. */
const MAX_PARAMETER_CHARACTERS = 1000;
const REQUEST_ID = 'x-request-id';

export interface ServerParts {
  readonly operations: readonly Operation[];
  readonly authenticate: Authenticate;
  readonly inFlight: InFlight;
  /** The host as it was configured. */
  readonly listensOn: string;
  readonly log: Logger;
}

/** Every refusal, whoever finds the reason, is a problem document. */
export function buildServer(parts: ServerParts): FastifyInstance {
  const { log } = parts;
  const sendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = problemOf(error, request.id);
    if (problem.code === 'UNEXPECTED') log.error({ requestId: request.id, err: error }, 'unexpected error');
    // Also where Fastify refuses a request before any hook has run.
    void reply.code(problem.status).header(REQUEST_ID, request.id).type(PROBLEM_TYPE);
    if (error instanceof Refusal) void reply.headers(error.headers);
    if (problem.status === 503) void reply.header('retry-after', RETRY_AFTER_SECONDS);
    void reply.send(JSON.stringify(problem));
  };
  const app = Fastify({
    genReqId: ({ headers }) => requestId(headers[REQUEST_ID]),
    exposeHeadRoutes: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAMETER_CHARACTERS },
    // Unknown fields are ignored, these too.
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'remove',
    frameworkErrors: sendProblem,
    // The hooks say the same as a problem.
    return503OnClosing: false,
  });
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler(sendProblem);
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers({ [REQUEST_ID]: request.id, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    done(refusalOf(request, parts));
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { id, method } = request;
    const { open = false } = request.routeOptions.config as { open?: boolean };
    const line = { requestId: id, method, path: pathOf(request), status: reply.statusCode, ms: reply.elapsedTime };
    log[open ? 'debug' : 'info'](line, 'request');
    done();
  });
  for (const served of parts.operations) addRoute(app, served, parts);
  return app;
}

function addRoute(app: FastifyInstance, served: Operation, { inFlight }: ServerParts): void {
  const { method, path, params, query, body, bodyLimitBytes } = served;
  app.route({
    method,
    url: routeUrl(path),
    config: { open: served.open ?? false },
    ...(bodyLimitBytes !== undefined && { bodyLimit: bodyLimitBytes }),
    handler: async (request, reply) => {
      const signal = inFlight.enter(reply.raw);
      if (body) parseMessage(body, request.body ?? undefined, 'body');
      const answer = await served.run({
        params: params && parseMessage(params, request.params, 'path'),
        query: query && parseMessage(query, request.query, 'query'),
        body: request.body,
        signal,
      });
      void reply.code(answer.status);
      const isStream = answer.body instanceof Readable;
      void reply.type(isStream ? (served.answers[answer.status]?.mediaType ?? '') : 'application/json');
      return reply.send(isStream ? answer.body : JSON.stringify(answer.body));
    },
  });
}

/** Where a request comes from is looked at before who sent it; undefined: it may pass. */
function refusalOf(request: FastifyRequest, { operations, authenticate, listensOn }: ServerParts): Refusal | undefined {
  if (!isForUs(request.headers, listensOn)) {
    const message = `this server answers to its own address only (${listensOn}), and to no page of another origin`;
    return new Refusal('CONTROL_FORBIDDEN', message);
  }
  const { open = false } = request.routeOptions.config as { open?: boolean };
  if (open) return undefined;
  if (authenticate(request.headers, request.method)) return request.is404 ? noRoute(operations, request) : undefined;
  const message =
    'no token, or a wrong one: send "Authorization: Bearer <token>" with DEVLOOP_CONTROL_TOKEN, or with what is in the control-token file of the data folder';
  return new Refusal('CONTROL_UNAUTHORIZED', message, undefined, { 'www-authenticate': 'Bearer realm="devloop"' });
}

function noRoute(operations: readonly Operation[], request: FastifyRequest): Refusal {
  const path = pathOf(request);
  const methods = methodsAt(operations, path);
  if (methods.length === 0) {
    return new Refusal('CONTROL_NO_ROUTE', `nothing is served at ${path}; what is: /openapi.json`);
  }
  const allowed = methods.join(', ');
  return new Refusal('CONTROL_NO_ROUTE', `${path} takes ${allowed}, not ${request.method}`, 405, { allow: allowed });
}

function pathOf(request: FastifyRequest): string {
  return (request.url.split('?', 1)[0] ?? '').slice(0, 200);
}

/** The asker's own where it is short and plain, so that logs can be matched; else a new one. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}
