import { DevloopError } from '../contract/index.js';

/** How many of something may be open at once. */
export class Slots {
  private taken = 0;

  constructor(
    private readonly what: string,
    private readonly limit: number,
  ) {}

  /** @returns gives the slot back; to be called once. @throws DevloopError `CONTROL_BUSY` when none is left */
  take(): () => void {
    if (this.taken >= this.limit) {
      throw new DevloopError('CONTROL_BUSY', `${this.limit} ${this.what} are open, which is the most; try again later`);
    }
    this.taken += 1;
    return () => {
      this.taken -= 1;
    };
  }
}
