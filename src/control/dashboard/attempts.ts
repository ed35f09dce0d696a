const MAX_WRONG = 10;
const WITHIN_MS = 60_000;
/** Addresses that are remembered; the oldest is forgotten first. */
const MAX_ADDRESSES = 1000;

/** How often somebody may be wrong about the token: ten times a minute from one address. */
export class Attempts {
  private readonly wrong = new Map<string, number[]>();

  constructor(private readonly clock: () => number = Date.now) {}

  /** Seconds until the next one may be made; 0: now. */
  waitSeconds(address: string): number {
    const times = this.recent(address);
    if (times.length < MAX_WRONG) return 0;
    return Math.max(1, Math.ceil(((times[0] ?? 0) + WITHIN_MS - this.clock()) / 1000));
  }

  wasWrong(address: string): void {
    const times = [...this.recent(address), this.clock()].slice(-MAX_WRONG);
    this.wrong.delete(address);
    this.wrong.set(address, times);
    const [oldest] = this.wrong.keys();
    if (this.wrong.size > MAX_ADDRESSES && oldest !== undefined) this.wrong.delete(oldest);
  }

  private recent(address: string): number[] {
    return (this.wrong.get(address) ?? []).filter((at) => at > this.clock() - WITHIN_MS);
  }
}
