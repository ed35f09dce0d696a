import type { ApiKind } from '../contract/index.js';
import type { Config } from '../config.js';
import type { BinaryEvent } from './binary-types.js';

/** What the embedded stack needs to know of the configuration. */
export type StackConfig = Pick<
  Config,
  'dataDir' | 'cacheDir' | 'noDownload' | 'gateSecret' | 'gateSecretPrevious' | 'defaults'
>;

/** A real account. The key goes to the worker's environment and nowhere else: no file, no log, no command line. */
export interface RunPodAccount {
  readonly apiKey: string;
  readonly apiUrl: string;
  readonly proxyUrl: string;
}

export const STACK_CHILDREN = ['temporal', 'emulator', 'worker'] as const;
export type StackChild = (typeof STACK_CHILDREN)[number];

/** A child that ended while the stack lived. It is neither restarted nor a reason to end the others. */
export interface DiedChild {
  readonly name: StackChild;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly code: number | null;
  readonly signal: string | null;
}

interface AnyStackInfo {
  readonly version: 1;
  readonly startedAt: string;
  readonly temporalAddress: string;
  readonly namespace: string;
  readonly webUiUrl: string;
  /** What a session gets that does not say. */
  readonly api: ApiKind;
  readonly model: string;
  readonly logsDir: string;
  /** Start of the supervisor's process as the system tells it: a pid that was used again is not mistaken for it. */
  readonly supervisorStart: string;
  readonly died: readonly DiedChild[];
}

export interface EmulatorStackInfo extends AnyStackInfo {
  readonly runpod: 'emulator';
  readonly emulatorUrl: string;
  readonly ledgerFile: string;
  readonly pids: Readonly<Record<'supervisor' | StackChild, number>>;
}

export interface AccountStackInfo extends AnyStackInfo {
  readonly runpod: 'account';
  readonly apiUrl: string;
  readonly pids: Readonly<Record<'supervisor' | 'temporal' | 'worker', number>>;
}

/** The content of `<dataDir>/stack.json`, written once all children are ready. Paths are absolute. */
export type StackInfo = EmulatorStackInfo | AccountStackInfo;

export type StackEvent =
  | {
      readonly kind: 'step';
      readonly step: 'binaries' | StackChild;
      readonly state: 'starting' | 'ready';
      /** Since the start of the stack. */
      readonly seconds: number;
      readonly detail?: string;
    }
  | ({ readonly kind: 'binary' } & BinaryEvent)
  | ({ readonly kind: 'died' } & DiedChild);

export interface StartStackOptions {
  readonly config: StackConfig;
  /** Undefined: the stack brings its emulator. */
  readonly account?: RunPodAccount | undefined;
  /** Model servers that must be there besides the default one, such as `openai` for a session that asks for it. */
  readonly apis?: readonly ApiKind[];
  /** What the stack's programs inherit, without settings of RunPod and of other Temporal servers; default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  readonly onEvent?: (event: StackEvent) => void;
}

/** This process's hold on a stack: it does not end by itself while a client lives. */
export interface StackHandle {
  readonly info: StackInfo;
  /** True when the stack was there already, or another process started it at the same time. */
  readonly joined: boolean;
  /** Resolves when the stack has ended, whoever ended it. Does not keep this process alive. */
  readonly ended: Promise<void>;
  /** Lets go. The stack ends 10 s after its last client and session. */
  release(): void;
}
