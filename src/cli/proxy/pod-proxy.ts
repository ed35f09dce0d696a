import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Lease } from '../../client/index.js';
import { DevloopError } from '../../contract/index.js';
import { endToEnd, isForUs, isNotFromPod, LOOPBACK, targetOf } from './forwarding.js';

/** Under the 120 s that the pod's own switch adds to any idle time. */
const TOUCH_EVERY_MS = 60_000;
/** A program that asks a dead pod again and again is one suspicion. */
const REPORT_EVERY_MS = 10_000;

export interface ProxyOptions {
  /** `DEVLOOP_GATE_SECRET` of the workers. */
  readonly secret: string;
  /** 0: a free one. */
  readonly port: number;
  /** The pod counts as in use though nobody asks it anything. */
  readonly hold: boolean;
}

/** What the proxy needs of a lease. */
export type ProxiedLease = Pick<Lease, 'grant' | 'headers' | 'report' | 'touch' | 'use'>;

/** The pod of a lease at a port of this machine: adds the token, follows the lease to a new pod, tells it of every use. */
export class PodProxy {
  private lease: ProxiedLease | undefined;
  private reportedAtMs = -Infinity;
  private readonly touching: NodeJS.Timeout | undefined;

  private constructor(
    private readonly server: Server,
    { secret, hold }: ProxyOptions,
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.serve(request, response, secret);
    });
    if (!hold) return;
    this.touching = setInterval(() => {
      this.lease?.touch({ secret }).catch(() => undefined);
    }, TOUCH_EVERY_MS);
    this.touching.unref();
  }

  /**
   * Takes the port. Until `follow` there is no pod behind it: a port that is taken must be found out before one is rented.
   * @throws DevloopError `INVALID_INPUT` when the port is taken
   */
  static async listen(options: ProxyOptions): Promise<PodProxy> {
    // Models think for longer than any default patience.
    const server = createServer({ requestTimeout: 0 });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, LOOPBACK, resolve);
    }).catch((error: unknown) => {
      const cause = error instanceof Error ? error.message : String(error);
      throw new DevloopError(
        'INVALID_INPUT',
        `--port ${options.port}: ${cause}. Leave it out and a free one is taken.`,
      );
    });
    return new PodProxy(server, options);
  }

  /** From here on requests reach the pod of this lease. */
  follow(lease: ProxiedLease): void {
    this.lease = lease;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://${LOOPBACK}:${this.port}`;
  }

  async close(): Promise<void> {
    clearInterval(this.touching);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(request: IncomingMessage, response: ServerResponse, secret: string): void {
    if (!isForUs(request.headers, this.port)) {
      refuse(response, 403, 'this proxy answers to its own address only, and to no page of the web');
      return;
    }
    const { lease } = this;
    if (lease === undefined) {
      refuse(response, 503, 'there is no pod yet');
      return;
    }
    let target: URL | undefined;
    let authorization: string;
    try {
      target = targetOf(lease.grant.endpoint, request.url ?? '/');
      authorization = lease.headers(secret).Authorization;
    } catch (error) {
      refuse(response, 502, error instanceof Error ? error.message : String(error));
      return;
    }
    if (target === undefined) {
      refuse(response, 400, 'this is the proxy of one pod: ask it for a path of that pod');
      return;
    }
    // Until nobody waits for the answer any more.
    void lease.use(() => new Promise<void>((resolve) => response.once('close', resolve)));
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const upstream = send(target, {
      method: request.method,
      headers: { ...endToEnd(request.headers), host: target.host, authorization },
    });
    upstream.on('response', (answer) => {
      if (isNotFromPod(answer.statusCode, answer.headers)) this.suspect(`HTTP ${answer.statusCode ?? ''}`);
      response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers, 'transfer-encoding'));
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    upstream.on('error', (error) => {
      // Hanging up on it because the program did says nothing about the pod.
      if (!response.destroyed) this.suspect(error.message);
      if (response.headersSent) response.destroy();
      else refuse(response, 502, `the pod does not answer: ${error.message}`);
    });
    response.once('close', () => upstream.destroy());
    request.pipe(upstream);
  }

  private suspect(problem: string): void {
    const now = Date.now();
    if (now - this.reportedAtMs < REPORT_EVERY_MS) return;
    this.reportedAtMs = now;
    this.lease?.report(`a request through devloop's proxy: ${problem}`).catch(() => undefined);
  }
}

function refuse(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error }));
}

/** What programs read to find the model: the loopback address, and a key that opens nothing. */
export function proxyEnvironment(url: string): Readonly<Record<string, string>> {
  return {
    RUNPOD_URL: url,
    OLLAMA_HOST: url,
    OLLAMA_BASE_URL: url,
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: 'devloop-proxy-adds-the-token',
  };
}
