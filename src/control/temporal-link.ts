import type { DevloopClient } from '../client/index.js';
import { noWorkerError, unlessAborted } from '../client/internal.js';

const READY_TIMEOUT_MS = 2000;
/** However many ask whether this server is ready, Temporal is asked once in this time. */
const READY_FOR_MS = 1000;

/** The client, connected when somebody needs it: a Temporal that is away at the start may come. Later it reconnects by itself. */
export class TemporalLink {
  private client: Promise<DevloopClient> | undefined;
  private looked: { readonly atMs: number; readonly ready: Promise<boolean> } | undefined;

  constructor(private readonly connect: () => Promise<DevloopClient>) {}

  /** @throws DevloopError `TEMPORAL_UNREACHABLE`, `CONFIG_INVALID`; the signal's reason */
  async get(signal?: AbortSignal): Promise<DevloopClient> {
    if (this.client === undefined) {
      this.client = this.connect();
      this.client.catch(() => (this.client = undefined));
    }
    return signal === undefined ? this.client : unlessAborted(this.client, signal);
  }

  /** @throws DevloopError `NO_WORKER`, before anything is begun that nobody would carry on */
  async withWorker(signal: AbortSignal): Promise<DevloopClient> {
    const client = await this.get(signal);
    if (await client.hasWorker({ signal })) return client;
    throw noWorkerError(client.address);
  }

  /** Temporal answers and a worker polls. */
  isReady(): Promise<boolean> {
    if (this.looked === undefined || Date.now() - this.looked.atMs > READY_FOR_MS) {
      const ready = this.withWorker(AbortSignal.timeout(READY_TIMEOUT_MS)).then(
        () => true,
        () => false,
      );
      this.looked = { atMs: Date.now(), ready };
    }
    return this.looked.ready;
  }

  async close(): Promise<void> {
    const client = await this.client?.catch(() => undefined);
    await client?.close();
  }
}
