import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Pair {
  readonly near: Socket;
  far: Socket | undefined;
}

/**
 * The network between a client and a server on this machine: open, `cut` (connections break, new ones are refused) or
 * `stall` (nothing breaks and nothing arrives). `reset` breaks what is open and takes new connections at once.
 */
export class TcpProxy {
  readonly #pairs = new Set<Pair>();
  #state: 'open' | 'cut' | 'stall' = 'open';

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (near) => {
      this.#accept(near);
    });
  }

  static async start(target: number): Promise<TcpProxy> {
    const server = createServer({ noDelay: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new TcpProxy(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#state = 'cut';
    this.reset();
  }

  stall(): void {
    this.#state = 'stall';
    for (const { near, far } of this.#pairs) {
      near.pause();
      far?.pause();
    }
  }

  open(): void {
    this.#state = 'open';
    for (const pair of this.#pairs) {
      if (pair.far === undefined) this.#connect(pair);
      pair.near.resume();
      pair.far?.resume();
    }
  }

  reset(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far?.resetAndDestroy();
    }
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #accept(near: Socket): void {
    if (this.#state === 'cut') {
      near.resetAndDestroy();
      return;
    }
    const pair: Pair = { near, far: undefined };
    this.#pairs.add(pair);
    near
      .on('error', () => undefined)
      .on('close', () => {
        this.#pairs.delete(pair);
        pair.far?.destroy();
      });
    if (this.#state === 'stall') near.pause();
    else this.#connect(pair);
  }

  #connect(pair: Pair): void {
    const { near } = pair;
    const far = connect({ port: this.target, host: '127.0.0.1', noDelay: true });
    pair.far = far;
    far.on('error', () => undefined);
    // A server that is gone must look gone: an end would look like a whole answer.
    far.on('close', () => {
      near.resetAndDestroy();
    });
    relay(near, far);
    relay(far, near);
  }
}

/** Bytes and the end of one direction; `pause` holds them back, which `pipe` would undo. */
function relay(from: Socket, to: Socket): void {
  from.on('data', (bytes) => {
    to.write(bytes);
  });
  from.on('end', () => {
    to.end();
  });
}
