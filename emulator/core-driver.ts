import type { EmulatorCore } from './core/core.js';

/** The longest wait that a timer of Node takes. */
const longestTimerMs = 2 ** 31 - 1;

/** Gives the core real time: lets it act when it is called, and by itself at the moments that it names. */
export class CoreDriver {
  private alarm: NodeJS.Timeout | undefined;
  private closed = false;

  /** `afterwards` runs after every move of the core and before anybody is told of it. */
  constructor(
    private readonly core: EmulatorCore,
    private readonly afterwards: () => void,
  ) {}

  act<Result>(move: (core: EmulatorCore, nowMs: number) => Result): Result {
    const result = move(this.core, Date.now());
    this.afterwards();
    this.setAlarm();
    return result;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.alarm);
  }

  private setAlarm(): void {
    clearTimeout(this.alarm);
    const dueMs = this.core.nextDueMs();
    if (this.closed || !Number.isFinite(dueMs)) return;
    const waitMs = Math.min(Math.max(0, dueMs - Date.now()), longestTimerMs);
    this.alarm = setTimeout(() => {
      this.act((core, nowMs) => {
        core.advance(nowMs);
      });
    }, waitMs);
  }
}
