import { createServer } from 'node:net';

/**
 * Below the ports that kernels give to outgoing connections (Linux from 32768, macOS from 49152 on): such a connection
 * could take a port between its choice here and the moment when the pod's service listens on it. And below 20000, where
 * pods look for ports of their own.
 */
const firstPort = 12_000;
const lastPort = 19_999;

/** Whether somebody listens there: asked of the kernel. */
const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });

/** Gives out free loopback ports, none of them twice while it is kept. */
export class FreePorts {
  private readonly kept = new Set<number>();
  private next = firstPort + Math.floor(Math.random() * (lastPort - firstPort));

  async take(count: number): Promise<number[]> {
    const ports: number[] = [];
    while (ports.length < count) ports.push(await this.takeOne());
    return ports;
  }

  keep(ports: Iterable<number>): void {
    for (const port of ports) this.kept.add(port);
  }

  giveBack(ports: Iterable<number>): void {
    for (const port of ports) this.kept.delete(port);
  }

  private async takeOne(): Promise<number> {
    for (let tried = firstPort; tried <= lastPort; tried += 1) {
      const port = this.next;
      this.next = port === lastPort ? firstPort : port + 1;
      if (this.kept.has(port)) continue;
      this.kept.add(port);
      if (await isFree(port)) return port;
      this.kept.delete(port);
    }
    throw new Error(`no free port between ${firstPort} and ${lastPort}`);
  }
}
