/** Runs the shared work. `onBegun` is to be called, with the time, just before the first request leaves. */
export type FlightWork<T> = (signal: AbortSignal, onBegun: (at: number) => void) => Promise<T>;

interface Flight<T> {
  begunAt: number | undefined;
  passengers: number;
  abort: AbortController;
  result: Promise<T>;
}

/**
 * Shares one piece of work between callers who ask at the same time. At most one is under way and one waits behind it,
 * whatever the number of callers. Each caller leaves on its own; work that nobody waits for any more is aborted.
 */
export class SharedFlight<T> {
  readonly #work: FlightWork<T>;
  /** The newest result. */
  #last: { begunAt: number; result: T } | undefined;
  #current: Flight<T> | undefined;
  #next: Flight<T> | undefined;

  constructor(work: FlightWork<T>) {
    this.#work = work;
  }

  /**
   * The result of work that begins after this call or began later than `begunAfter` (milliseconds since the epoch), even
   * when it has ended already; without it, any that is under way will do.
   * @throws the work's error, or the signal's reason.
   */
  async join(options: { begunAfter?: number | undefined; signal?: AbortSignal | undefined }): Promise<T> {
    options.signal?.throwIfAborted();
    if (this.#last && this.#last.begunAt > (options.begunAfter ?? Infinity)) return this.#last.result;
    const flight = this.#flightFor(options.begunAfter ?? -Infinity);
    flight.passengers += 1;
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        onAbort = () => {
          reject(options.signal?.reason as Error);
        };
        options.signal?.addEventListener('abort', onAbort, { once: true });
        flight.result.then(resolve, reject);
      });
    } finally {
      if (onAbort !== undefined) options.signal?.removeEventListener('abort', onAbort);
      flight.passengers -= 1;
      if (flight.passengers === 0) flight.abort.abort();
    }
  }

  #flightFor(begunAfter: number): Flight<T> {
    const { begunAt, abort } = this.#current ?? {};
    if (this.#current === undefined) {
      this.#current = this.#launch(Promise.resolve());
      return this.#current;
    }
    if (abort?.signal.aborted === false && (begunAt === undefined || begunAt > begunAfter)) return this.#current;
    if (this.#next === undefined || this.#next.abort.signal.aborted) {
      this.#next = this.#launch(this.#current.result);
    }
    return this.#next;
  }

  #launch(before: Promise<unknown>): Flight<T> {
    const abort = new AbortController();
    const flight: Flight<T> = { begunAt: undefined, passengers: 0, abort, result: Promise.resolve() as never };
    const run = async () => {
      abort.signal.throwIfAborted();
      const result = await this.#work(abort.signal, (at) => {
        flight.begunAt = at;
      });
      if (flight.begunAt !== undefined) this.#last = { begunAt: flight.begunAt, result };
      return result;
    };
    flight.result = before.then(run, run).finally(() => {
      if (this.#current === flight) {
        this.#current = this.#next;
        this.#next = undefined;
      }
    });
    // Its passengers handle the failure; without any it concerns nobody.
    flight.result.catch(() => undefined);
    return flight;
  }
}
