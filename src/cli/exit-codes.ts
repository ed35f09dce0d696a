import { CommanderError } from 'commander';
import { DevloopError, type ErrorCode } from '../contract/errors.js';

export const EXIT = {
  ok: 0,
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** RunPod or Temporal cannot be reached: nothing is concluded. */
  unreachable: 3,
  /** A look found something that wants attention. */
  found: 4,
  interrupted: 130,
} as const;

/** The person pressed Ctrl-C, or something sent SIGTERM. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** A session or a job was accepted and then failed: never the fault of the command line, whatever its code is. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';

  constructor(readonly failure: DevloopError) {
    super(failure.message, { cause: failure });
  }
}

/** A failure while waiting, as one of the work itself. Interruptions and unknown errors stay what they are. */
export function asRemote(error: unknown): Error {
  if (error instanceof DevloopError) return new RemoteFailure(error);
  return error instanceof Error ? error : new Error(String(error));
}

const USAGE_CODES: readonly ErrorCode[] = [
  'INVALID_INPUT',
  'INPUT_TOO_LARGE',
  'CONFIG_INVALID',
  'RUNPOD_UNAUTHORIZED',
  'SESSION_SPEC_CONFLICT',
];
const UNREACHABLE_CODES: readonly ErrorCode[] = ['TEMPORAL_UNREACHABLE', 'NO_WORKER', 'RUNPOD_UNREACHABLE'];

export function exitCodeFor(error: unknown): number {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof RemoteFailure) {
    // Contact lost while waiting says nothing about the work; a job that could not reach RunPod has failed.
    const lost = error.failure.code === 'TEMPORAL_UNREACHABLE' || error.failure.code === 'NO_WORKER';
    return lost ? EXIT.unreachable : EXIT.failed;
  }
  if (error instanceof DevloopError) {
    if (USAGE_CODES.includes(error.code)) return EXIT.usage;
    if (UNREACHABLE_CODES.includes(error.code)) return EXIT.unreachable;
  }
  return EXIT.failed;
}

/** The error as programs read it from stdout under `--json`. */
export function errorDocument(error: unknown): { error: { code: string; message: string } } {
  const cause = error instanceof RemoteFailure ? error.failure : error;
  if (cause instanceof DevloopError) return { error: { code: cause.code, message: cause.message } };
  if (cause instanceof CommanderError) {
    return { error: { code: 'INVALID_INPUT', message: cause.message.replace(/^error: /, '') } };
  }
  if (cause instanceof Interrupted) return { error: { code: 'INTERRUPTED', message: 'interrupted' } };
  return {
    error: { code: 'UNEXPECTED' satisfies ErrorCode, message: cause instanceof Error ? cause.message : String(cause) },
  };
}
