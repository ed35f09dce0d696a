/** HTTP as plain values, so that the core answers calls without a socket and a simulation can drive it in virtual time. */

/** One call. `path` has no query string; header names are lower case; `body` is the raw text. */
export interface CoreRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

/**
 * What becomes of the reply. `answer`: it is sent. `hang`: the caller never hears anything. `cut`: the connection is
 * destroyed. `log-stream`: status and headers are sent, then the events that `CoreReply.logs` asks for.
 */
export type Delivery = 'answer' | 'hang' | 'cut' | 'log-stream';

export const logSources = ['container', 'system'] as const;
export type LogSource = (typeof logSources)[number];

/** The part of a pod's log that a reader wants: the last `tail` lines, or everything after `since`, then what follows. */
export interface LogQuery {
  readonly podId: string;
  readonly sources: readonly LogSource[];
  readonly tail: number;
  readonly since?: { readonly atMs: number; readonly sequence?: number };
}

/** One reply. `body` is empty where HTTP has none (204). */
export interface CoreReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly delivery: Delivery;
  readonly logs?: LogQuery;
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  524: 'A timeout occurred',
};

const titleOf = (status: number): string => titles[status] ?? `Status ${status}`;

/** A refusal, thrown by whatever part of the core finds the reason and answered as `application/problem+json`. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly extra: { readonly errors?: readonly string[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
  }
}

export const answer = (status: number, value: unknown): CoreReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
  delivery: 'answer',
});

export const noContent = (): CoreReply => ({ status: 204, headers: {}, body: '', delivery: 'answer' });

/** Nothing reaches the caller. The status 0 is what the request log shows for it. */
export const silence = (delivery: 'hang' | 'cut'): CoreReply => ({ status: 0, headers: {}, body: '', delivery });

/** RunPod REST v2, ErrorResponse: title, status and detail always, `errors` for schema violations. */
export const problemReply = (problem: Problem): CoreReply => ({
  status: problem.status,
  headers: { 'content-type': 'application/problem+json', ...problem.extra.headers },
  body: JSON.stringify({
    title: titleOf(problem.status),
    status: problem.status,
    detail: problem.detail,
    ...(problem.extra.errors ? { errors: problem.extra.errors } : {}),
  }),
  delivery: 'answer',
});

/** The page that the network in front of RunPod (not RunPod's API) answers with: HTML, no problem+json. */
export const edgePage = (status: number): CoreReply => ({
  status,
  headers: { 'content-type': 'text/html; charset=UTF-8' },
  body: `<!DOCTYPE html><html><head><title>${status}: ${titleOf(status)}</title></head><body><h1>Error ${status}</h1><p>${titleOf(status)}</p></body></html>`,
  delivery: 'answer',
});

export const isoTime = (ms: number): string => new Date(ms).toISOString();
