import { randomInteger, seededRandom, type Random } from '../../../emulator/core/random.js';

/** Many times what the longest story takes: whatever goes on for so long goes on for ever. */
const MAX_EVENTS = 200_000;

interface Planned {
  readonly atMs: number;
  /** Of two events at the same moment the one that was planned first happens first. */
  readonly serial: number;
  readonly act: () => void;
  cancelled: boolean;
}

/** Takes a planned event back; once it has happened this does nothing. */
export type Cancel = () => void;

/** One world's time and luck. Nothing in it reads another clock or other dice, so a seed repeats everything. */
export class Kernel {
  nowMs = Date.parse('2026-06-01T00:00:00.000Z');
  readonly random: Random;
  private readonly heap: Planned[] = [];
  private serial = 0;
  private happened = 0;

  constructor(readonly seed: number) {
    this.random = seededRandom(seed);
  }

  /** So much has happened that nothing more does. */
  get isExhausted(): boolean {
    return this.happened >= MAX_EVENTS;
  }

  /** A moment between two durations from now, drawn anew at each call: how long things on a network or a disk take. */
  soon(fromMs: number, toMs: number): number {
    return this.nowMs + fromMs + this.random() * (toMs - fromMs);
  }

  integer(from: number, below: number): number {
    return randomInteger(this.random, from, below);
  }

  between(from: number, to: number): number {
    return from + this.random() * (to - from);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.integer(0, from.length)]!;
  }

  /** Lets something happen at that moment, or now where that has passed. */
  at(atMs: number, act: () => void): Cancel {
    if (Number.isNaN(atMs)) throw new RangeError('a moment that is no number');
    const planned: Planned = { atMs: Math.max(atMs, this.nowMs), serial: this.serial++, act, cancelled: false };
    this.push(planned);
    return () => {
      planned.cancelled = true;
    };
  }

  /** Lets everything happen up to that moment. Between two events all promises settle. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    await settled();
    for (;;) {
      if (isOver() || this.isExhausted) return;
      const next = this.heap[0];
      if (!next || next.atMs > untilMs) break;
      this.pop();
      if (next.cancelled) continue;
      this.nowMs = next.atMs;
      this.happened += 1;
      next.act();
      await settled();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  private push(planned: Planned): void {
    const { heap } = this;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, planned)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = planned;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (isBefore(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.serial < b.serial);
}

/** A turn of the event loop: microtasks and `process.nextTick` are done by then, streams included. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
