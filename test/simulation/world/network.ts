import { Readable } from 'node:stream';
import { AxiosError, AxiosHeaders, type AxiosAdapter, type InternalAxiosRequestConfig } from 'axios';
import type { Kernel } from '../kernel/kernel.js';
import type { SimProcess } from '../kernel/process.js';

/** One request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface WireReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `cut`: the connection breaks after the request was taken. */
export type Answer = WireReply | 'cut';

/** Whoever answers: at once or later, once, or never. `onGone` is told when the caller closes the connection first. */
export type Server = (
  request: WireRequest,
  answer: (reply: Answer) => void,
  onGone: (gone: () => void) => void,
) => void;

/** Of one process to one side: `refused`: told at once that nobody is there; `silent`: packets vanish. */
export type Way = 'open' | 'refused' | 'silent';

/** A process's way to RunPod's API and to the gates of its pods. */
export class Link {
  api: Way = 'open';
  gates: Way = 'open';

  constructor(readonly process: SimProcess) {}
}

/** Where a request of ours is: what a fault may wait for, to strike between cause and effect. */
export type Stage = 'leaves' | 'arrives' | 'answered';
export type CallWatcher = (stage: Stage, request: WireRequest, link: Link) => void;

const CONNECT_MS = [2, 40] as const;
/** Who uses a gate gives up after this; RunPod's clients have a time of their own for the whole call. */
const GATE_CONNECT_MS = 10_000;

/** Delays, loses and cuts what processes say to servers. An answer on its way meets the link as it is when it arrives. */
export class Network {
  readonly watchers: CallWatcher[] = [];

  constructor(
    private readonly kernel: Kernel,
    private readonly servers: { readonly api: Server; readonly gates: Server },
  ) {}

  /** @throws AxiosError, as axios' own adapter would */
  call(link: Link, to: 'api' | 'gates', request: WireRequest, signal?: AbortSignal): Promise<WireReply> {
    const { kernel } = this;
    return new Promise((resolve, reject) => {
      let closed = false;
      let gone: () => void = () => undefined;
      const close = (settle: () => void): void => {
        if (closed) return;
        closed = true;
        link.process.onKill.delete(onKill);
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const fail = (code: string, text: string): void => {
        close(() => {
          reject(new AxiosError(text, code));
        });
      };
      const onAbort = (): void => {
        // What has been sent is not taken back: the other side learns only that nobody waits any more.
        gone();
        fail(AxiosError.ERR_CANCELED, 'canceled');
      };
      const onKill = (): void => {
        gone();
      };
      const unreachable = (): void => {
        link.process.deliver(() => {
          fail('ETIMEDOUT', 'connect ETIMEDOUT');
        });
      };
      if (signal?.aborted) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      this.tell('leaves', request, link);
      // Our code looks for a freeze right before it asks RunPod: no story is told of one between the two.
      if (to === 'api' && !link.process.isRunning) return;
      link.process.deliver(() => {
        if (closed) return;
        link.process.onKill.add(onKill);
        const way = link[to];
        if (way === 'silent') {
          if (to === 'gates') kernel.at(kernel.nowMs + GATE_CONNECT_MS, unreachable);
          return;
        }
        kernel.at(kernel.soon(...CONNECT_MS), () => {
          if (way === 'refused') {
            link.process.deliver(() => {
              fail('ECONNREFUSED', 'connect ECONNREFUSED');
            });
            return;
          }
          const back = (answer: Answer): void => {
            kernel.at(kernel.soon(...CONNECT_MS), () => {
              link.process.deliver(() => {
                if (answer === 'cut' || link[to] !== 'open') fail('ECONNRESET', 'socket hang up');
                else
                  close(() => {
                    resolve(answer);
                  });
                this.tell('answered', request, link);
              });
            });
          };
          this.servers[to](request, back, (tell) => {
            gone = tell;
          });
          if (link.process.isDead) gone();
          this.tell('arrives', request, link);
        });
      });
    });
  }

  /** For our real HTTP clients. */
  adapter(link: Link, to: 'api' | 'gates'): AxiosAdapter {
    return async (config: InternalAxiosRequestConfig) => {
      const reply = await this.call(link, to, wireRequest(config), config.signal as AbortSignal | undefined);
      return {
        status: reply.status,
        statusText: '',
        headers: new AxiosHeaders({ ...reply.headers }),
        config,
        data: config.responseType === 'stream' ? Readable.from([reply.body]) : reply.body,
      };
    };
  }

  private tell(stage: Stage, request: WireRequest, link: Link): void {
    for (const watch of this.watchers) watch(stage, request, link);
  }
}

function wireRequest(config: InternalAxiosRequestConfig): WireRequest {
  const params = Object.entries((config.params ?? {}) as Record<string, unknown>);
  const headers = Object.entries(config.headers.toJSON());
  return {
    method: (config.method ?? 'get').toUpperCase(),
    url: `${config.baseURL ?? ''}${config.url ?? ''}`,
    query: Object.fromEntries(
      params.filter(([, value]) => value !== undefined).map(([k, value]) => [k, String(value)]),
    ),
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), String(value)])),
    ...(typeof config.data === 'string' && { body: config.data }),
  };
}
