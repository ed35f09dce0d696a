import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import * as z from 'zod';
import type { DevloopClient } from '../client/index.js';
import { DevloopError } from '../contract/index.js';
import { bearerToken, type Authenticate } from './auth.js';
import { LoginCookie } from './dashboard/cookie.js';
import { addDashboard } from './dashboard/routes.js';
import { Feed } from './events/feed.js';
import { InFlight } from './in-flight.js';
import { openApiDocument } from './openapi.js';
import { operation, type Operation } from './operation.js';
import { inAddress } from './own-address.js';
import { costOperation } from './routes/costs.js';
import { eventOperation } from './routes/events.js';
import { healthOperations } from './routes/health.js';
import { jobOperations } from './routes/jobs.js';
import { overviewOperation } from './routes/overview.js';
import { sessionOperations } from './routes/sessions.js';
import { lookAtSessions } from './running-sessions.js';
import { buildServer } from './server.js';
import { TemporalLink } from './temporal-link.js';

/** Jobs that the event stream tells of: the newest ones. */
const WATCHED_JOBS = 100;
/** What is nearly done may finish; what waits is told to ask again. */
const END_GRACE_MS = 1000;
const END_LIMIT_MS = 3000;
const SWEEP_EVERY_MS = 50;

export interface ControlOptions {
  /** Made again until it succeeds. */
  readonly connect: () => Promise<DevloopClient>;
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly token: string;
  /** Address of Temporal's Web UI, for links; undefined: not known. */
  readonly webUi?: string | undefined;
  readonly log: Logger;
}

export interface Control {
  readonly url: string;
  /** Resolves within seconds, whoever waits or listens. */
  close(): Promise<void>;
}

/**
 * Serves the control API and the dashboard. A Temporal that is away is answered for with 503 until it is there.
 * @throws DevloopError `CONFIG_INVALID`: it cannot listen there, or Temporal refuses the credentials
 */
export async function startControl({ connect, host, port, token, webUi, log }: ControlOptions): Promise<Control> {
  const temporal = new TemporalLink(connect);
  const feed = new Feed(async (besides, signal) => {
    const client = await temporal.withWorker(signal);
    return { ...(await lookAtSessions(client, besides, signal)), jobs: await client.listJobs(WATCHED_JOBS, signal) };
  });
  const inFlight = new InFlight();
  const operations = describedBy([
    ...sessionOperations(temporal),
    ...jobOperations(temporal),
    costOperation(temporal),
    eventOperation(feed),
    overviewOperation(temporal, webUi),
    ...healthOperations(temporal),
  ]);
  const hasToken = bearerToken(token);
  const cookie = new LoginCookie(token);
  const authenticate: Authenticate = (headers, method) => hasToken(headers) || cookie.allows(headers, method);
  const app = buildServer({ operations, authenticate, inFlight, listensOn: host, log });
  addDashboard(app, { cookie, token });
  await listen(app, host, port);
  const close = async (): Promise<void> => {
    inFlight.refuseOthers();
    feed.close();
    await closeServer(app, inFlight);
    await temporal.close();
  };
  try {
    await temporal.get();
  } catch (error) {
    if (!(error instanceof DevloopError) || error.code !== 'TEMPORAL_UNREACHABLE') {
      await close();
      throw error;
    }
    log.warn({ code: error.code }, error.message);
  }
  return { url: `http://${inAddress(host)}:${(app.server.address() as AddressInfo).port}`, close };
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    const message = `cannot listen on ${inAddress(host)}:${port}: ${cause}. Set --host or --port.`;
    throw new DevloopError('CONFIG_INVALID', message, { cause: error });
  }
}

async function closeServer(app: FastifyInstance, inFlight: InFlight): Promise<void> {
  // Connections that were in use when it began to close stay open for their next request.
  const sweeping = setInterval(() => {
    app.server.closeIdleConnections();
  }, SWEEP_EVERY_MS);
  const closed = app.close();
  await Promise.race([closed, delay(END_GRACE_MS, undefined, { ref: false })]);
  inFlight.abort();
  await Promise.race([closed, delay(END_LIMIT_MS, undefined, { ref: false })]);
  app.server.closeAllConnections();
  await closed;
  clearInterval(sweeping);
}

/** The document is one of the operations that it describes. */
function describedBy(others: readonly Operation[]): Operation[] {
  const operations = [
    ...others,
    operation({
      method: 'GET',
      path: '/openapi.json',
      id: 'describe',
      summary: 'This document.',
      answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
      codes: [],
      run: () => ({ status: 200, body: document }),
    }),
  ];
  const document = openApiDocument(operations);
  return operations;
}
