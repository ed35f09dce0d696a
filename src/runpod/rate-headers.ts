/** One window of RunPod's quota as an answer describes it. */
export interface QuotaWindow {
  name: string;
  /** Requests left. */
  remaining: number;
  /** Milliseconds until it starts again. */
  resetMs: number;
  /** Requests in a window, where `RateLimit-Policy` says so. */
  quota?: number;
  lengthMs?: number;
}

/** RunPod always sends `Retry-After`; an edge in front of it may not. */
const defaultRetryMs = 15_000;

/** Reads REST v2's `RateLimit` (`"minute";r=59;t=12, …`) and `RateLimit-Policy` (`"minute";q=60;w=60, …`). */
export function quotaWindows(headers: Record<string, string>): QuotaWindow[] {
  const policies = new Map(members(headers['ratelimit-policy']));
  return members(headers.ratelimit).flatMap(([name, { r, t }]) => {
    if (r === undefined || t === undefined) return [];
    const { q, w } = policies.get(name) ?? {};
    return [
      {
        name,
        remaining: r,
        resetMs: t * 1000,
        ...(q === undefined ? {} : { quota: q }),
        ...(w === undefined ? {} : { lengthMs: w * 1000 }),
      },
    ];
  });
}

/** When to ask again after a 429, in milliseconds since the epoch: the longest of `Retry-After` and the exhausted windows. */
export function retryAtOf(headers: Record<string, string>, now: number): number {
  const exhausted = quotaWindows(headers).filter((window) => window.remaining <= 0);
  const waits = exhausted.map((window) => window.resetMs);
  const header = headers['retry-after']?.trim();
  if (header !== undefined) {
    const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
    if (Number.isFinite(ms)) waits.push(Math.max(0, ms));
  }
  return now + (waits.length > 0 ? Math.max(...waits) : defaultRetryMs);
}

function members(header: string | undefined): [string, Partial<Record<string, number>>][] {
  return (header ?? '').split(',').flatMap((member) => {
    const [name, ...parameters] = member.trim().split(';');
    if (name === undefined || name === '') return [];
    const values = parameters.map((parameter) => parameter.trim().split('='));
    const numbers = values.flatMap(([key, value]) =>
      key !== undefined && value !== undefined && /^\d+$/.test(value) ? [[key, Number(value)] as const] : [],
    );
    return [[name.replaceAll('"', ''), Object.fromEntries(numbers)]];
  });
}
