export const BINARY_NAMES = ['temporal', 'caddy', 'ollama', 'llama-server', 'model'] as const;
export type BinaryName = (typeof BINARY_NAMES)[number];

/** Where something was found: an environment variable, PATH, the cache, or a package fetched into the cache just now. */
export type BinarySource = 'environment' | 'path' | 'cache' | 'package' | 'official download';

export interface FoundBinary {
  readonly name: BinaryName;
  /** Absolute. */
  readonly path: string;
  readonly source: BinarySource;
}

/** Something is fetched. `done` comes after its hash was verified. */
export interface BinaryEvent {
  readonly name: string;
  readonly state: 'fetching' | 'progress' | 'done';
  readonly version: string;
  /** Kind of the source, never an address. */
  readonly from: 'package' | 'official download';
  /** Of what is fetched; absent where only the source knows it. */
  readonly bytes?: number;
  readonly sha256?: string;
  /** So far, while `progress`. */
  readonly receivedBytes?: number;
  readonly seconds: number;
}

export const CHECK_STATES = ['ok', 'missing', 'problem', 'absent-optional'] as const;
export type CheckState = (typeof CHECK_STATES)[number];

/** One line of `devloop doctor`. `hint` says what to do. */
export interface DoctorCheck {
  readonly name: string;
  readonly state: CheckState;
  readonly path?: string;
  readonly version?: string;
  readonly source?: string;
  readonly hint?: string;
}
