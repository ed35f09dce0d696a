import type { Readable } from 'node:stream';
import type * as z from 'zod';
import type { ErrorCode } from '../contract/index.js';

/** What a route is asked, checked; the body as it was sent, without defaults. `signal` aborts when the asker hangs up or the server ends. */
export interface Call<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** JSON, or a stream of the answer's own media type. */
  readonly body: Readable | object;
}

export interface DescribedAnswer {
  readonly description: string;
  readonly schema: z.ZodType;
  /** `application/json` without one. */
  readonly mediaType?: string;
}

/** One route: all that the server needs to serve it and `/openapi.json` to describe it. */
export interface Operation<Params = unknown, Query = unknown, Body = unknown> {
  readonly method: 'GET' | 'POST';
  /** As OpenAPI writes it: `/jobs/{jobId}`. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  /** Needs no token. */
  readonly open?: true;
  readonly params?: z.ZodObject & z.ZodType<Params>;
  readonly query?: z.ZodObject & z.ZodType<Query>;
  readonly body?: z.ZodType<unknown, Body>;
  readonly bodyLimitBytes?: number;
  readonly answers: Readonly<Record<number, DescribedAnswer>>;
  /** Codes of the problems that this route adds to those that any route may have. */
  readonly codes: readonly ErrorCode[];
  run(call: Call<Params, Query, Body>): Promise<Answer> | Answer;
}

/** Keeps the types of what is asked inside one operation, so that operations of all kinds fit into one list. */
export function operation<Params, Query, Body>(spec: Operation<Params, Query, Body>): Operation {
  return spec;
}

/** What may go wrong wherever Temporal is asked. */
export const TEMPORAL_CODES: readonly ErrorCode[] = ['TEMPORAL_UNREACHABLE', 'NO_WORKER', 'CONFIG_INVALID'];

/** All codes that a route may answer with. */
export function codesOf({ open, params, query, body, codes }: Operation): ErrorCode[] {
  const asks = params !== undefined || query !== undefined || body !== undefined;
  return [
    ...(asks ? (['INVALID_INPUT'] as const) : []),
    ...(open ? [] : (['CONTROL_UNAUTHORIZED'] as const)),
    ...(['CONTROL_FORBIDDEN', 'UNEXPECTED', 'CONTROL_BUSY'] as const),
    ...(body === undefined ? [] : (['INPUT_TOO_LARGE'] as const)),
    ...codes,
  ];
}

/** Path parameters as Fastify writes them. */
export function routeUrl(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

/** Methods that are served at a path as it was asked for; empty where there is nothing. */
export function methodsAt(operations: readonly Operation[], asked: string): string[] {
  return operations.filter(({ path }) => patternOf(path).test(asked)).map(({ method }) => method);
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
}
