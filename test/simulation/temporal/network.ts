import { ServiceError } from '@temporalio/client';
import type { SimProcess } from '../kernel/process.js';
import type { ServerClock } from './server/server-clock.js';

/** The SDK tries a call again for this long, then gives up. */
const GIVE_UP_AFTER_MS = 10_000;
const TRY_AGAIN_MS = [200, 1500] as const;

/** Between processes and the server. A call may have been carried out although its answer is lost. */
export class Network {
  private readonly cut = new Set<SimProcess>();

  constructor(private readonly clock: ServerClock) {}

  setCut(process: SimProcess, isCut: boolean): void {
    if (isCut) this.cut.add(process);
    else this.cut.delete(process);
  }

  reaches(process: SimProcess): boolean {
    return this.clock.isUp && !this.cut.has(process);
  }

  /** @throws ServiceError when the server stays out of reach; whatever the server answers */
  call<T>(process: SimProcess, perform: () => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const answer = (act: () => void): void => {
        this.way(
          process,
          () => {
            process.deliver(act);
          },
          () => {
            process.deliver(() => {
              reject(unreachable());
            });
          },
        );
      };
      const fail = (error: Error): void => {
        answer(() => {
          reject(error);
        });
      };
      const arrive = (): void => {
        try {
          const result = perform();
          if (result instanceof Promise)
            result.then((value) => {
              answer(() => {
                resolve(value);
              });
            }, fail);
          else
            answer(() => {
              resolve(result);
            });
        } catch (error) {
          fail(error as Error);
        }
      };
      this.way(process, arrive, () => {
        process.deliver(() => {
          reject(unreachable());
        });
      });
    });
  }

  /** A report whose answer nobody waits for. After ten seconds of trying it is lost. */
  send(process: SimProcess, perform: () => void): void {
    this.way(process, perform, () => undefined);
  }

  private way(process: SimProcess, arrive: () => void, giveUp: () => void): void {
    const { kernel } = this.clock;
    const untilMs = kernel.nowMs + GIVE_UP_AFTER_MS;
    const attempt = (): void => {
      if (this.reaches(process)) arrive();
      else if (kernel.nowMs >= untilMs) giveUp();
      else
        kernel.at(kernel.soon(...TRY_AGAIN_MS), () => {
          process.deliver(attempt);
        });
    };
    kernel.at(kernel.soon(1, 12), attempt);
  }
}

/** `grpc.status.UNAVAILABLE`. */
const UNAVAILABLE = 14;

function unreachable(): ServiceError {
  const cause = Object.assign(new Error('14 UNAVAILABLE: no connection to the server'), {
    code: UNAVAILABLE,
    details: 'no connection to the server',
  });
  return new ServiceError('Unexpected error while making gRPC request', { cause });
}
