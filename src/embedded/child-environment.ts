import { delimiter, join } from 'node:path';
import type { ApiKind } from '../contract/index.js';
import { binDir } from './bin-dir.js';

/** The small model that the embedded stack serves: SmolLM2-135M-Instruct. */
export const EMBEDDED_MODEL = 'smollm2-135m-instruct';
/** The emulator's account key. It opens nothing else. */
export const EMULATOR_KEY = 'emulator';
export const NAMESPACE = 'default';

/** Settings of the user's real account and of other Temporal servers must not reach the embedded stack. */
const FOREIGN = /^(RUNPOD|TEMPORAL)_/;

export function cleanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !FOREIGN.test(name) && !name.startsWith('DEVLOOP_GATE_SECRET'));
  return Object.fromEntries(kept);
}

export function emulatorEnvironment(env: NodeJS.ProcessEnv, dataDir: string): NodeJS.ProcessEnv {
  return { ...cleanEnvironment(env), PATH: [binDir(dataDir), env.PATH ?? ''].join(delimiter) };
}

export interface WorkerSettings {
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly temporalAddress: string;
  readonly emulatorUrl: string;
  readonly gateSecret: string;
  readonly gateSecretPrevious: string | undefined;
  readonly api: ApiKind;
  readonly modelFile: string;
}

export function workerEnvironment(env: NodeJS.ProcessEnv, settings: WorkerSettings): NodeJS.ProcessEnv {
  return {
    ...cleanEnvironment(env),
    TEMPORAL_ADDRESS: settings.temporalAddress,
    TEMPORAL_NAMESPACE: NAMESPACE,
    // No such file: the user's own may hold keys and TLS for another server.
    TEMPORAL_CONFIG_FILE: join(settings.dataDir, 'no-temporal-profiles.toml'),
    RUNPOD_API_KEY: EMULATOR_KEY,
    RUNPOD_API_URL: `${settings.emulatorUrl}/v2`,
    RUNPOD_PROXY_URL: `${settings.emulatorUrl}/proxy/{podId}/{port}`,
    DEVLOOP_DATA_DIR: settings.dataDir,
    DEVLOOP_CACHE_DIR: settings.cacheDir,
    DEVLOOP_GATE_SECRET: settings.gateSecret,
    ...(settings.gateSecretPrevious !== undefined && { DEVLOOP_GATE_SECRET_PREVIOUS: settings.gateSecretPrevious }),
    DEVLOOP_DEFAULT_API: settings.api,
    DEVLOOP_DEFAULT_MODEL: EMBEDDED_MODEL,
    DEVLOOP_MODEL_FILE: settings.modelFile,
  };
}
