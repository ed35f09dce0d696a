/** ISO 8601 UTC, as every time on the wire. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** `12:04:09` UTC, for sentences. */
export function clock(ms: number): string {
  return iso(ms).slice(11, 19);
}

export function roundSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

export function roundUsd(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}
