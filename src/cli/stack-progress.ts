import type { StackEvent } from '../embedded/index.js';
import type { Progress } from './progress.js';

const WORDS = {
  binaries: 'programs',
  temporal: 'Temporal',
  emulator: 'RunPod emulator',
  worker: 'worker',
} as const;

export interface PhaseSeconds {
  readonly phase: string;
  readonly seconds: number;
}

/** Shows how a stack comes up and keeps the seconds of each step. */
export class StackProgress {
  readonly phases: PhaseSeconds[] = [];
  private readonly startedAt = new Map<string, number>();

  constructor(private readonly progress: Progress) {}

  readonly onEvent = (event: StackEvent): void => {
    switch (event.kind) {
      case 'step':
        this.step(event);
        break;
      case 'binary':
        this.binary(event);
        break;
      case 'died':
        this.progress.line(diedLine(event));
        break;
    }
  };

  private step({ step, state, seconds, detail }: Extract<StackEvent, { kind: 'step' }>): void {
    if (state === 'starting') {
      this.startedAt.set(step, seconds);
      this.progress.start(step, WORDS[step]);
      return;
    }
    const took = seconds - (this.startedAt.get(step) ?? 0);
    this.phases.push({ phase: step, seconds: Math.round(took * 10) / 10 });
    this.progress.finish(step, detail === undefined ? WORDS[step] : `${WORDS[step]} (${detail})`, took);
  }

  private binary({
    name,
    state,
    version,
    from,
    bytes,
    sha256,
    receivedBytes,
  }: Extract<StackEvent, { kind: 'binary' }>): void {
    const id = `fetch ${name}`;
    const size = bytes === undefined ? '' : `, ${megabytes(bytes)}`;
    switch (state) {
      case 'fetching':
        this.progress.start(id, `fetching ${name} ${version}${size}, from its ${from}`);
        break;
      case 'progress':
        this.progress.update(
          id,
          `fetching ${name} ${version}: ${megabytes(receivedBytes ?? 0)} of ${megabytes(bytes ?? 0)}`,
        );
        break;
      case 'done':
        this.progress.finish(
          id,
          `fetched ${name} ${version}${size}${sha256 === undefined ? '' : `, sha256 ${sha256.slice(0, 12)}…`}`,
        );
        break;
    }
  }
}

export function diedLine({ name, code, signal }: Extract<StackEvent, { kind: 'died' }>): string {
  const how = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
  return `! ${WORDS[name]} of the stack has ended (${how}); it is not restarted`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
