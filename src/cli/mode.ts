import { DevloopError } from '../contract/errors.js';

/** What decides where a command works. */
export interface ModeFacts {
  /** `TEMPORAL_ADDRESS`, `TEMPORAL_PROFILE`, or an address in the default profile. */
  readonly temporalSet: boolean;
  readonly runpodKeySet: boolean;
  /** `--emulator`. */
  readonly emulator: boolean;
}

/**
 * `external`: a client of somebody's Temporal, nothing is started. The others are this machine's own stack: with the
 * `emulator`, or with the `account` of the RunPod key, whose pods cost money.
 */
export type Mode = 'external' | 'emulator' | 'account';

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
  return runpodKeySet && !emulator ? 'account' : 'emulator';
}

/** @param apiUrl of the real account; undefined: the emulator */
export function embeddedModeLine(apiUrl: string | undefined): string {
  const runpod =
    apiUrl === undefined ? 'emulator (no account, no charge)' : `${new URL(apiUrl).host} (a real account: pods cost $)`;
  return `Temporal: embedded · RunPod: ${runpod}`;
}

export function externalModeLine(address: string, namespace: string): string {
  return `Temporal: ${address}, namespace ${namespace} · RunPod: as the workers there are configured`;
}
