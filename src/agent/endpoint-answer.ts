import { ReadableStream } from 'node:stream/web';
import { Response } from 'undici';

/** Enough of an error page to find its reason in. */
const MAX_ERROR_BYTES = 16 * 1024;

/** What the way to the pod, or the server on it, did instead of answering. */
export type EndpointProblem =
  /** `text` is the server's reason: unpacked from JSON, else the body. */
  | { what: 'status'; status: number; text: string; retryAfterSeconds?: number }
  /** A code of Node or undici, such as `ECONNREFUSED` or `UND_ERR_BODY_TIMEOUT`. */
  | { what: 'network'; code: string }
  /** Success, but not what a model server sends: RunPod's proxy shows a page while a pod boots. */
  | { what: 'foreign-answer'; contentType: string }
  /** The server gave up in the middle of its answer and said why. */
  | { what: 'error-in-stream'; text: string }
  /** Ended or became unreadable before its last piece. */
  | { what: 'broken-stream' };

/** Says something about the pod; any other error of a run is the agent's own. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';

  constructor(readonly problem: EndpointProblem) {
    super(`endpoint: ${problem.what}`);
  }
}

export function networkError(error: unknown): EndpointError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return new EndpointError({ what: 'network', code: typeof code === 'string' ? code : 'connection error' });
}

export async function statusError(response: Response): Promise<EndpointError> {
  const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after'));
  return new EndpointError({
    what: 'status',
    status: response.status,
    text: await errorText(response),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** RFC 9110: seconds or a date. */
function parseRetryAfter(value: string | null): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

async function errorText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let body = '';
  try {
    for await (const chunk of response.body ?? []) {
      body += decoder.decode(chunk as Uint8Array, { stream: true });
      if (body.length > MAX_ERROR_BYTES) break;
    }
  } catch {
    // The status is the fact; a body cut short only makes its reason shorter.
  }
  try {
    return reasonOf(JSON.parse(body)) ?? body;
  } catch {
    return body;
  }
}

/** Ollama: `{error: text}`; OpenAI-compatible: `{error: {message}}` or `{message}`. */
function reasonOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('error' in value && value.error)
    return typeof value.error === 'string' ? value.error : (reasonOf(value.error) ?? JSON.stringify(value.error));
  return 'message' in value && typeof value.message === 'string' ? value.message : undefined;
}

/**
 * Lets a model server's answer through, line by line where it streams, and fails where a client library would print
 * (a line that is no JSON), take a cut answer for a whole one (SSE), or lose what kind of error it was.
 *
 * @throws EndpointError at once for a foreign answer, and out of the body for a broken one
 */
export function checkedAnswer(response: Response, signal: AbortSignal): Response {
  const contentType = response.headers.get('content-type') ?? '';
  const kind = /^(?:application|text)\/(x-ndjson|event-stream|json)\b/i.exec(contentType)?.[1]?.toLowerCase();
  if (kind === undefined) throw new EndpointError({ what: 'foreign-answer', contentType });
  if (response.body === null) return response;
  const chunks = watchedChunks(response.body, signal);
  const body = kind === 'json' ? chunks : checkedLines(chunks, kind === 'event-stream');
  return new Response(ReadableStream.from(body), { status: response.status, headers: response.headers });
}

async function* checkedLines(chunks: AsyncIterable<Uint8Array>, isEventStream: boolean): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let hasEnded = false;
  for await (const line of linesOf(chunks)) {
    // In an event stream, comments and event names carry nothing; blank lines end an event and must stay.
    const payload = isEventStream ? (/^data:(.*)$/.exec(line)?.[1] ?? '') : line;
    if (payload.trim() !== '') hasEnded = isLastPayload(payload.trim()) || hasEnded;
    else if (!isEventStream) continue;
    yield encoder.encode(`${line}\n`);
  }
  if (!hasEnded) throw new EndpointError({ what: 'broken-stream' });
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest + decoder.decode();
}

async function* watchedChunks(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    signal.throwIfAborted();
    throw networkError(error);
  }
}

/** Ollama ends with `done: true`, OpenAI-compatible servers with a `finish_reason` and, most of them, `[DONE]`. */
function isLastPayload(payload: string): boolean {
  if (payload === '[DONE]') return true;
  const piece = parsePiece(payload);
  if (piece.error) throw new EndpointError({ what: 'error-in-stream', text: reasonOf(piece) ?? payload });
  return piece.done === true || (piece.choices?.some((choice) => Boolean(choice.finish_reason)) ?? false);
}

interface StreamPiece {
  error?: unknown;
  done?: boolean;
  choices?: { finish_reason?: string | null }[];
}

function parsePiece(payload: string): StreamPiece {
  try {
    return JSON.parse(payload) as StreamPiece;
  } catch {
    throw new EndpointError({ what: 'broken-stream' });
  }
}
