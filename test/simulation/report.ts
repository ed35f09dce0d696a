import { cellName, cells, faultKinds } from './faults/catalog.js';
import { PHASES } from './phases.js';
import type { SeedResult } from './run-seed.js';
import { scenes } from './scenes/list.js';

export interface Failure {
  readonly seed: number;
  /** Indices of the seed's faults that are enough for it. */
  readonly faults: readonly number[];
  readonly what: readonly string[];
  readonly problems: readonly string[];
}

/** What `--json` prints. */
export interface Report {
  readonly seeds: number;
  readonly from: number;
  readonly failed: readonly Failure[];
  readonly seconds: number;
  readonly faultsPerSeed: number;
  /** How often each fault has struck in each phase in which it can. */
  readonly cells: Readonly<Record<string, number>>;
  readonly minCell: { readonly cell: string; readonly count: number };
  /** How often each scene was told. */
  readonly scenes: Readonly<Record<string, number>>;
  /** The same for the same seeds, whatever the machine and however many processes. */
  readonly digest: number;
  /** Cells that cannot be, with the reason. */
  readonly impossible: Readonly<Record<string, string>>;
}

export class Tally {
  readonly failed: Failure[] = [];
  private readonly counts = new Map(cells.map((cell) => [cellName(cell), 0]));
  private readonly scenes = new Map(scenes.map(({ name }) => [name, 0]));
  private seeds = 0;
  private faults = 0;
  private digest = 0;

  add(result: Pick<SeedResult, 'scene' | 'cells' | 'faults' | 'digest'>): void {
    this.seeds += 1;
    if (result.scene !== undefined) this.scenes.set(result.scene, (this.scenes.get(result.scene) ?? 0) + 1);
    // Results come in any order.
    this.digest = (this.digest + result.digest) >>> 0;
    this.faults += result.faults;
    for (const cell of result.cells) {
      const known = this.counts.get(cell);
      // Struck a moment after its phase had ended, in one in which it means nothing.
      if (known !== undefined) this.counts.set(cell, known + 1);
    }
  }

  report(from: number, seconds: number): Report {
    const [rarest] = [...this.counts].sort(([, a], [, b]) => a - b);
    return {
      seeds: this.seeds,
      from,
      failed: this.failed,
      seconds,
      faultsPerSeed: this.seeds === 0 ? 0 : Math.round((100 * this.faults) / this.seeds) / 100,
      cells: Object.fromEntries(this.counts),
      minCell: { cell: rarest?.[0] ?? '', count: rarest?.[1] ?? 0 },
      scenes: Object.fromEntries(this.scenes),
      digest: this.digest,
      impossible: impossibleCells(),
    };
  }
}

function impossibleCells(): Record<string, string> {
  return Object.fromEntries(
    faultKinds.flatMap((kind) =>
      PHASES.filter((phase) => !kind.phases.includes(phase)).map((phase) => [
        cellName({ kind, phase }),
        kind.elsewhere ?? 'it cannot strike there',
      ]),
    ),
  );
}

/** Fault × phase for people: `-` where that cannot be. */
export function matrix({ cells: counts }: Report): string {
  const width = Math.max(...faultKinds.map(({ name }) => name.length));
  const rows = faultKinds.map((kind) => {
    const columns = PHASES.map((phase) => String(counts[cellName({ kind, phase })] ?? '-').padStart(7));
    return `${kind.name.padEnd(width)}${columns.join('')}`;
  });
  return [`${''.padEnd(width)}${PHASES.map((phase) => phase.padStart(7)).join('')}`, ...rows].join('\n');
}
