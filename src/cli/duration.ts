const SECONDS_PER_UNIT = { s: 1, m: 60, h: 3600 } as const;

/**
 * Seconds of a duration as people write it: `90s`, `8m`, `1.5h`.
 * @throws Error that says how to write it
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smh])$/.exec(text.trim());
  if (match) return Number(match[1]) * SECONDS_PER_UNIT[match[2] as keyof typeof SECONDS_PER_UNIT];
  if (/^\d+(\.\d+)?$/.test(text.trim())) {
    throw new Error(`a number without a unit: write ${text}s, ${text}m or ${text}h.`);
  }
  throw new Error('write a positive number with a unit, such as 90s, 8m or 8h.');
}

/** `4.2 s`, `3 m 20 s`, `2 h 5 m`: short, for people. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} m`;
}

/** US dollars with as many digits as a few seconds of a GPU need. */
export function formatUsd(usd: number): string {
  return `$${usd < 1 ? usd.toFixed(4) : usd.toFixed(2)}`;
}
