import { DevloopError } from '../contract/errors.js';

/** What decides where a command works. */
export interface ModeFacts {
  /** `TEMPORAL_ADDRESS`, `TEMPORAL_PROFILE`, or an address in the default profile. */
  readonly temporalSet: boolean;
  readonly runpodKeySet: boolean;
  /** `--emulator`. */
  readonly emulator: boolean;
}

/** `external`: a client of somebody's Temporal, nothing is started. `embedded`: this machine's own stack. */
export type Mode = 'external' | 'embedded';

/**
 * Where `start-session` and `dev` work. Nothing is chosen silently: contradictions are errors.
 * @throws DevloopError `CONFIG_INVALID`
 */
export function chooseMode({ temporalSet, runpodKeySet, emulator }: ModeFacts): Mode {
  if (temporalSet && emulator) {
    throw new DevloopError(
      'CONFIG_INVALID',
      '--emulator starts a stack on this machine, but TEMPORAL_ADDRESS (or a Temporal profile) names another. Leave out --emulator, or unset TEMPORAL_ADDRESS and TEMPORAL_PROFILE.',
    );
  }
  if (temporalSet) return 'external';
  if (runpodKeySet && !emulator) {
    throw new DevloopError(
      'CONFIG_INVALID',
      'RUNPOD_API_KEY is set, but renting for money is not switched on yet. Use --emulator (no account, no charge).',
    );
  }
  return 'embedded';
}

export const EMBEDDED_MODE_LINE = 'Temporal: embedded · RunPod: emulator (no account, no charge)';

export function externalModeLine(address: string, namespace: string): string {
  return `Temporal: ${address}, namespace ${namespace} · RunPod: as the workers there are configured`;
}
