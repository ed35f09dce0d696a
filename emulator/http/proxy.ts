import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { ProxyDecision } from '../core/core.js';
import { edgePage, type CoreReply } from '../core/http.js';
import { splitUrl } from './request.js';

/** What the proxy needs of the rest of the emulator. */
export interface ProxyHost {
  /** `path` is the one inside the service. */
  readonly decide: (podId: string, port: number, call: { method: string; path: string }) => ProxyDecision;
  readonly portOf: (podId: string, declared: number) => number | undefined;
  readonly timeoutMs: () => number;
}

/** `/proxy/{podId}/{port}` and whatever follows. */
const proxyPath = /^\/proxy\/([^/]+)\/(\d+)(\/.*)?$/;

/** Headers that speak of one connection. The body's framing is passed on as it is, so that nothing is buffered. */
const connectionHeaders = ['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'expect', 'host'];

function passedOn(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!connectionHeaders.includes(name.toLowerCase())) kept.push(name, rawHeaders[index + 1] ?? '');
  }
  return kept;
}

/**
 * RunPod's proxy in front of the pods: `/proxy/{podId}/{port}/x` is `/x` of the service that the pod declared as
 * `{port}/http`. On `node:http` and without a pool: a kept connection to a container that was restarted meanwhile would
 * turn into a 502 that RunPod's proxy does not show.
 */
export function proxyRequest(host: ProxyHost, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { path, search } = splitUrl(incoming.url ?? '/');
  const [, podId, portText, rest = '/'] = proxyPath.exec(path) ?? [];
  if (podId === undefined) {
    send(outgoing, edgePage(404));
    return;
  }
  const declared = Number(portText);
  const decision = host.decide(podId, declared, { method: incoming.method ?? 'GET', path: rest });
  const port = host.portOf(podId, declared);
  if (decision.kind === 'reply') {
    send(outgoing, decision.reply);
  } else if (port === undefined) {
    send(outgoing, edgePage(502));
  } else {
    const hostName = `${podId}-${declared}.proxy.runpod.net`;
    forward({ incoming, outgoing, port, path: rest + search, hostName }, host.timeoutMs());
  }
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly port: number;
  readonly path: string;
  readonly hostName: string;
}

function forward({ incoming, outgoing, port, path, hostName }: Exchange, timeoutMs: number): void {
  const upstream = httpRequest({
    host: '127.0.0.1',
    port,
    method: incoming.method,
    path,
    headers: ['Host', hostName, ...passedOn(incoming.rawHeaders), 'Connection', 'close'],
    agent: false,
  });
  let failed = false;
  const fail = (status: number): void => {
    // Destroying the request brings an error of its own, which must not follow on the answer given.
    if (failed) return;
    failed = true;
    clearTimeout(timer);
    upstream.destroy();
    if (outgoing.headersSent) outgoing.destroy();
    else send(outgoing, edgePage(status));
  };
  const timer = setTimeout(() => {
    fail(524);
  }, timeoutMs);
  upstream.on('error', () => {
    fail(502);
  });
  upstream.once('response', (response) => {
    clearTimeout(timer);
    outgoing.sendDate = false;
    outgoing.writeHead(response.statusCode ?? 502, response.statusMessage, passedOn(response.rawHeaders));
    // A stream's head must be there before its first byte: clients wait for it.
    outgoing.flushHeaders();
    // pipeline destroys the caller's connection when the service breaks off, so that a cut answer never looks whole.
    pipeline(response, outgoing, () => undefined);
  });
  // The caller has gone: the service hears of it at once and stops working for nobody.
  outgoing.once('close', () => {
    clearTimeout(timer);
    upstream.destroy();
  });
  incoming.pipe(upstream);
}

function send(outgoing: ServerResponse, reply: CoreReply): void {
  if (outgoing.destroyed) return;
  if (reply.delivery === 'cut') outgoing.destroy();
  else outgoing.writeHead(reply.status, { ...reply.headers, connection: 'close' }).end(reply.body);
}
