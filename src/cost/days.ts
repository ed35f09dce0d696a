const DAY_MS = 86_400_000;

/** The UTC day of a moment, `2026-11-27`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** When the UTC day of a moment began, epoch milliseconds. */
export function dayStart(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

export interface PieceOfDay {
  readonly day: string;
  readonly ms: number;
}

/** A stretch of time cut at every midnight, UTC: at least one piece. */
export function byDay(fromMs: number, toMs: number): PieceOfDay[] {
  const pieces: PieceOfDay[] = [];
  let atMs = fromMs;
  do {
    const endMs = Math.max(atMs, Math.min(toMs, dayStart(atMs) + DAY_MS));
    pieces.push({ day: dayOf(atMs), ms: endMs - atMs });
    atMs = endMs;
  } while (atMs < toMs);
  return pieces;
}
