import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Problem, problemReply, type CoreReply, type CoreRequest } from '../core/http.js';
import { coreRequest, isLoopback } from './request.js';
import { proxyRequest, type ProxyHost } from './proxy.js';

/** The largest body that is read. A bootstrap script in one environment variable is some ten kilobytes. */
const bodyLimitBytes = 1024 * 1024;

/**
 * Longer than clients keep idle connections: a create on a connection that is being closed would fail ambiguously, and
 * that belongs to the faults, not to chance.
 */
const keepAliveMs = 72_000;

/** What the server needs of the rest of the emulator. */
export interface ServerHost {
  /** Calls to the API wait for it. */
  readonly ready: Promise<void>;
  readonly handle: (request: CoreRequest) => CoreReply;
  readonly streamLog: (reply: FastifyReply['raw'], head: CoreReply) => void;
  readonly proxy: ProxyHost;
}

async function deliver(host: ServerHost, reply: FastifyReply, answer: CoreReply): Promise<void> {
  if (answer.delivery === 'answer') {
    await reply
      .code(answer.status)
      .headers(answer.headers)
      .send(answer.body === '' ? undefined : answer.body);
    return;
  }
  // From here on the socket is ours: fastify must not answer in its own time.
  reply.hijack();
  if (answer.delivery === 'cut') reply.raw.destroy();
  if (answer.delivery === 'log-stream') host.streamLog(reply.raw, answer);
}

/** What fastify refuses before the core sees it: a body too large, a URL that cannot be decoded. */
function sendProblem(error: Error & { statusCode?: number }, _request: unknown, reply: FastifyReply): void {
  const status = error.statusCode ?? 500;
  const { headers, body } = problemReply(new Problem(status, status < 500 ? error.message : 'internal server error'));
  void reply
    .code(status)
    .headers({ ...headers, 'x-request-id': randomUUID() })
    .send(body);
}

/** The thin shell around the core: bytes in, bytes out. Pods' proxies do not pass through fastify, which would read bodies. */
export function buildServer(host: ServerHost): FastifyInstance {
  const app = Fastify({
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: true,
    frameworkErrors: sendProblem,
    serverFactory: (handler) =>
      createServer({ keepAliveTimeout: keepAliveMs }, (incoming, outgoing) => {
        if (incoming.url?.startsWith('/proxy/')) proxyRequest(host.proxy, incoming, outgoing);
        else handler(incoming, outgoing);
      }),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body);
  });
  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const call = coreRequest(request.raw, request.body);
    const allowed = !call.path.startsWith('/admin/') || isLoopback(request.raw.socket.remoteAddress);
    const answer = allowed
      ? host.handle(call)
      : problemReply(new Problem(403, '/admin/* is open to this machine only'));
    await deliver(host, reply, answer);
  };
  app.addHook('onRequest', () => host.ready);
  app.all('/*', handle);
  app.setNotFoundHandler(handle);
  app.setErrorHandler(sendProblem);
  return app;
}
