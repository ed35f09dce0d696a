import { setMaxListeners } from 'node:events';
import { Client, Connection } from '@temporalio/client';
import { DevloopError } from '../contract/index.js';
import { unlessAborted } from './abort.js';
import { fromService } from './failures.js';
import { Retries } from './retries.js';
import type { TemporalSettings } from './settings.js';

/** Unary calls answer in milliseconds; beyond this something is wrong and a person should hear about it. */
const CALL_DEADLINE_MS = 10_000;
/** gRPC's own is two minutes: so long a program that stays would not see that the server is back. */
const CHANNEL = { 'grpc.max_reconnect_backoff_ms': 2000 };

/** A connection whose every call has a deadline and can be aborted. */
export class Temporal {
  private constructor(
    readonly address: string,
    readonly namespace: string,
    readonly connection: Connection,
    readonly client: Client,
    private readonly retries: Retries,
  ) {}

  /** @throws DevloopError `TEMPORAL_UNREACHABLE` when nothing answers within the time */
  static async connect(settings: TemporalSettings, connectTimeoutMs: number, signal?: AbortSignal): Promise<Temporal> {
    const { address, namespace, connection: options } = settings;
    const retries = new Retries();
    const { interceptors } = retries;
    const connection = Connection.lazy({
      ...options,
      address,
      connectTimeout: connectTimeoutMs,
      interceptors,
      channelArgs: CHANNEL,
    });
    try {
      const connecting = connection.withDeadline(Date.now() + connectTimeoutMs, () => connection.ensureConnected());
      // Connecting itself takes no signal.
      await (signal ? unlessAborted(connecting, signal) : connecting);
    } catch (error) {
      await retries.settle();
      await connection.close();
      signal?.throwIfAborted();
      const problem = fromService(error, address);
      if (problem.code !== 'TEMPORAL_UNREACHABLE') throw problem;
      throw new DevloopError(
        'TEMPORAL_UNREACHABLE',
        `no Temporal server answers at ${address} (waited ${connectTimeoutMs / 1000} s). Check TEMPORAL_ADDRESS and the network.`,
        { cause: error },
      );
    }
    // A closed workflow's state is read from its memo and result, so a query must not replay it.
    const client = new Client({ connection, namespace, workflow: { queryRejectCondition: 'NOT_OPEN' } });
    return new Temporal(address, namespace, connection, client, retries);
  }

  /** One call within the deadline. */
  call<T>(fn: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.abortable(() => this.connection.withDeadline(Date.now() + CALL_DEADLINE_MS, fn), signal);
  }

  /** A wait without a deadline of its own. Rejects with the signal's reason when it is aborted. */
  async abortable<T>(fn: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal === undefined) return fn();
    signal.throwIfAborted();
    // The SDK adds a listener for every request and takes none away: they must not pile up on the caller's signal.
    const own = new AbortController();
    setMaxListeners(0, own.signal);
    const onAbort = (): void => {
      own.abort(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.connection.withAbortSignal(own.signal, fn);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    await this.retries.settle();
    await this.connection.close();
  }
}
