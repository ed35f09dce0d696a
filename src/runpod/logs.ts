import * as z from 'zod';
import type { Http, Outcome } from './http.js';
import type { Sleep } from './time.js';
import type { LogSource } from './types.js';

/** RunPod sends the backlog at once and then follows the log without an end: silence for this long means that we have it. */
const quietMs = 1500;
const maxLineCharacters = 500;

/** REST v2, data of `GET /pods/{id}/logs`. */
const eventSchema = z.object({ line: z.string() });

/**
 * Reads `GET /pods/{id}/logs` (server-sent events) until it falls quiet, ends, or the time is up: what has arrived by
 * then is the result. Anything but an event stream comes back as the outcome.
 */
export async function readPodLogs(
  http: Http,
  podId: string,
  options: { tail: number; source?: LogSource; timeoutMs: number; sleep: Sleep; signal?: AbortSignal | undefined },
): Promise<Outcome | { lines: string[] }> {
  const lines: string[] = [];
  const quiet = new AbortController();
  let isOpen = false;
  let alarm = new AbortController();
  const restartAlarm = () => {
    alarm.abort();
    alarm = new AbortController();
    options.sleep(quietMs, alarm.signal).then(
      () => {
        quiet.abort();
      },
      () => undefined,
    );
  };
  const signal = options.signal === undefined ? quiet.signal : AbortSignal.any([options.signal, quiet.signal]);
  const outcome = await http.stream(
    {
      method: 'GET',
      path: `/pods/${encodeURIComponent(podId)}/logs`,
      query: { tail: options.tail, source: options.source },
      timeoutMs: options.timeoutMs,
      signal,
    },
    async (source) => {
      isOpen = true;
      restartAlarm();
      for await (const raw of source) {
        restartAlarm();
        const line = lineOf(raw);
        if (line === undefined) continue;
        lines.push(line);
        if (lines.length > options.tail) lines.shift();
      }
    },
  );
  alarm.abort();
  if (outcome.type === 'streamed') return { lines };
  const isCallersAbort = options.signal?.aborted === true;
  return isOpen && !isCallersAbort ? { lines } : outcome;
}

/** The line of one event's data, at most 500 characters. */
export function lineOf(raw: string): string | undefined {
  if (!raw.startsWith('data:')) return undefined;
  try {
    return eventSchema
      .parse(JSON.parse(raw.slice(5)))
      .line.trimEnd()
      .slice(0, maxLineCharacters);
  } catch {
    return undefined;
  }
}
