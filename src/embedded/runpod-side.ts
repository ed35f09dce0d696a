import type { ApiKind } from '../contract/index.js';
import { offer, provideModelServer } from './bin-dir.js';
import { ensureBinary, type BinaryOptions } from './binaries.js';
import type { Child } from './child.js';
import { startEmulator } from './emulator-server.js';
import type { RunPodAccount, StackChild, StackConfig, StackEvent } from './stack-types.js';
import type { ServiceOptions } from './temporal-server.js';

/** What a stack's worker rents from. */
export type RunPodSide =
  | {
      readonly kind: 'emulator';
      readonly url: string;
      readonly child: Child<StackChild>;
      readonly api: ApiKind;
      /** On this machine, which is where the emulator's pods run. */
      readonly modelFile: string;
    }
  | {
      readonly kind: 'account';
      readonly account: RunPodAccount;
      readonly api: ApiKind;
      readonly model: string;
    };

/** A side that is coming up. */
export interface StartingSide {
  readonly ready: Promise<RunPodSide>;
  /** As soon as its own process is ready; undefined when it has none. */
  readonly child: Promise<Child<StackChild> | undefined>;
  /** Programs for its pods; words for people about them. */
  readonly programs: Promise<string>;
}

/** Runs a step and tells when it began and when it was ready. */
export type Timed = <T>(
  step: Extract<StackEvent, { kind: 'step' }>['step'],
  work: () => Promise<T>,
  detail?: (result: T) => string,
) => Promise<T>;

export interface EmulatorSideOptions {
  readonly api: ApiKind;
  /** Model servers that must be there besides the one of `api`. */
  readonly apis: readonly ApiKind[];
  readonly binaries: BinaryOptions;
  readonly service: ServiceOptions;
  readonly timed: Timed;
}

export function startEmulatorSide({ api, apis, binaries, service, timed }: EmulatorSideOptions): StartingSide {
  const { dataDir, env } = service;
  const model = ensureBinary('model', binaries);
  const programs = Promise.all([
    model,
    ensureBinary('caddy', binaries).then((caddy) => offer(caddy, dataDir, env)),
    ...[...new Set([api, ...apis])].map((kind) => provideModelServer(kind, dataDir, binaries)),
  ]);
  const emulator = timed(
    'emulator',
    () => startEmulator(service),
    ({ url }) => url,
  );
  return {
    ready: Promise.all([emulator, model]).then(([{ url, child }, { path }]) => ({
      kind: 'emulator',
      url,
      child,
      api,
      modelFile: path,
    })),
    child: emulator.then(({ child }) => child),
    programs: programs.then(() => (api === 'ollama' ? 'model server: Ollama' : "model server: llama.cpp's")),
  };
}

/** Nothing to start: pods run at RunPod and bring their own programs. */
export function accountSide(account: RunPodAccount, { api, model }: StackConfig['defaults']): StartingSide {
  return {
    ready: Promise.resolve({ kind: 'account', account, api, model }),
    child: Promise.resolve(undefined),
    programs: Promise.resolve('pods bring their own'),
  };
}
